"""What other tools read of a checkpoint: made from its description, believed by nobody, refused where it contradicts that."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml

from tests.support.descriptions import written
from training import describe as command
from vaead_core.checkpoints import archive
from vaead_core.checkpoints.checkpoint import DESCRIPTION, Checkpoint
from vaead_core.checkpoints.interchange import METADATA, below_head, head, metadata, onnx_properties
from vaead_core.checkpoints.onnx_properties import properties, with_properties, without_properties
from vaead_core.cohorts.licences import LICENCES
from vaead_core.computing.onnx_graph import OnnxGraph
from vaead_core.errors import CheckpointError

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = sorted(path.parent for path in (ROOT / "checkpoints").glob("[!.]*/checkpoint.json"))
each_shipped = pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)

TEXTS = ("version", "monai_version", "pytorch_version", "numpy_version", "task", "description", "authors", "copyright")  # needed
FURTHER = {"changelog": dict, "optional_packages_version": dict, "intended_use": str, "data_source": str, "references": list}
TENSOR = {
    "type": str, "format": str, "modality": str, "num_channels": int, "spatial_shape": list, "dtype": str, "value_range": list,
    "is_patch_data": bool, "channel_def": dict,
}  # fmt: skip


@pytest.fixture
def copy(few_checkpoint_folder, tmp_path) -> Path:
    """Of a checkpoint that is soon read."""
    return Path(shutil.copytree(few_checkpoint_folder, tmp_path / "copy"))


@pytest.fixture
def whole(tiny_checkpoint_folder, tmp_path) -> Path:
    """One with companions."""
    return Path(shutil.copytree(tiny_checkpoint_folder, tmp_path / "copy"))


def description(folder: Path) -> dict:
    return json.loads((folder / DESCRIPTION).read_bytes())


def put(folder: Path, file: str, content: bytes) -> None:
    """A file and its checksum, as anyone can write them."""
    (folder / file).write_bytes(content)
    said = description(folder)
    said["files"][file] = hashlib.sha256(content).hexdigest()
    (folder / DESCRIPTION).write_bytes(written(said))


def told(folder: Path, **properties: str) -> None:
    """Gives the encoder these properties of its own."""
    put(folder, "encoder.onnx", with_properties((folder / "encoder.onnx").read_bytes(), properties))


def refusal(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        Checkpoint.load(folder)
    assert "\n" not in str(caught.value)
    with pytest.raises(CheckpointError):
        archive.check(folder)
    return str(caught.value)


# As it is written


@each_shipped
def test_metadata_has_what_monais_bundles_have(folder):
    said = json.loads((folder / METADATA).read_text())
    assert all(isinstance(said[name], str) for name in TEXTS)
    assert all(isinstance(said[name], kind) for name, kind in FURTHER.items())
    assert re.fullmatch(r"\d+\.\d+\.\d+", said["version"])
    assert said["version"] in said["changelog"]
    tensors = said["network_data_format"]
    assert set(tensors) == {"inputs", "outputs"}
    for tensor in (*tensors["inputs"].values(), *tensors["outputs"].values()):
        assert {name: type(value) for name, value in tensor.items()} == TENSOR
    size = Checkpoint.load(folder).model.vae.image_size
    assert tensors["inputs"]["image"]["spatial_shape"] == [size, size]


@each_shipped
def test_what_ships_is_what_its_command_makes_and_nothing_else_changes(folder, tmp_path):
    copied = Path(shutil.copytree(folder, tmp_path / folder.name))
    before = {path.name: path.read_bytes() for path in copied.iterdir()}
    (copied / METADATA).unlink()
    (copied / "README.md").write_bytes(below_head(before["README.md"]))
    digest = Checkpoint.load(copied).digest
    assert command.main([str(copied)]) == 0
    assert {path.name: path.read_bytes() for path in copied.iterdir()} == before
    assert Checkpoint.load(copied).digest == digest == Checkpoint.load(folder).digest
    said = description(folder)
    assert json.loads(before[METADATA]) == metadata(said, folder.name)
    assert before["README.md"].decode() == head(said) + Checkpoint.load(folder).card


def test_tables_were_recorded_with_the_checkpoint_that_ships():
    [slices] = (folder for folder in SHIPPED if folder.name == "brain-slices-2mm")
    for table in ("slices", "lesions", "painted"):
        assert Checkpoint.load(slices).digest in (ROOT / f"results/{table}.json").read_text()


def test_a_card_begins_as_hugging_faces_do(tiny_checkpoint_folder):
    said = description(tiny_checkpoint_folder)
    said["training"]["data"] = 'odd: [name] # "it\'s"\n---\nours'
    _, front, rest = head(said).split("---\n")
    read = yaml.safe_load(front)
    assert rest == ""
    assert set(read) == {"license", "library_name", "pipeline_tag", "tags", "datasets"}
    assert (read["license"], read["datasets"]) == ("unknown", [said["training"]["data"]])
    assert below_head((head(said) + "# Card\n---\nx").encode()) == b"# Card\n---\nx"


@pytest.mark.parametrize("card", [b"# Card\n---\n", b"---\n no end", b"---\n" + b"a" * 5000 + b"\n---\n# Card", b""])
def test_what_is_no_head_stays_in_the_card(card):
    assert below_head(card) == card


def test_a_new_checkpoint_has_all_three_and_its_card_shows_no_head(tiny_checkpoint_folder, tiny_checkpoint):
    said = description(tiny_checkpoint_folder)
    assert json.loads((tiny_checkpoint_folder / METADATA).read_text()) == metadata(said, "tiny")
    assert (tiny_checkpoint_folder / "README.md").read_text() == head(said) + tiny_checkpoint.card
    assert tiny_checkpoint.card.startswith("# tiny\n")
    for file in tiny_checkpoint_folder.glob("*.onnx"):
        props = {one.key: one.value for one in onnx.load(file).metadata_props}
        assert props == onnx_properties(said, "tiny")
        assert (props["vaead.spacing_mm"], props["vaead.atlas"], props["vaead.format_version"]) == ("2", "SRI24", "2")
        assert json.loads(props["vaead.preprocessor"]) == said["preprocessor"]
        assert props["model_license"] == "CC-BY-SA-3.0"


@each_shipped
def test_a_graph_that_says_more_of_itself_computes_the_same_to_the_bit(folder):
    for file in sorted(folder.glob("*.onnx")):
        content = file.read_bytes()
        more = with_properties(content, onnx_properties(description(folder), folder.name))
        assert without_properties(more) == without_properties(content)
        plain, other = OnnxGraph(content), OnnxGraph(more)
        shape = [one if isinstance(one, int) else 96 for one in plain.input_shape]
        inputs = np.random.default_rng(0).standard_normal((2, *shape)).astype(np.float32)
        for first, second in zip(plain.run(inputs, plain.outputs), other.run(inputs, plain.outputs), strict=True):
            np.testing.assert_array_equal(first, second)


def test_onnx_itself_reads_what_was_written_and_nothing_twice(tiny_checkpoint_folder):
    content = (tiny_checkpoint_folder / "decoder.onnx").read_bytes()
    said = {"ü": "x" * 300, "empty": ""}
    again = with_properties(with_properties(content, {"other": "1"}), said)
    model = onnx.load_from_string(again)
    assert {one.key: one.value for one in model.metadata_props} == said == properties(again, "decoder.onnx")
    del model.metadata_props[:]
    assert model == onnx.load_from_string(without_properties(content))


def test_every_licence_is_named_with_what_is_under_it():
    text = (ROOT / "THIRD_PARTY.md").read_text()
    for one in LICENCES.values():
        assert one.spdx.replace("CC-BY-SA-3.0", "CC BY-SA 3.0") in text
        assert one.source.removeprefix("SRI24, ") in text


# As it is read


def test_an_older_checkpoint_without_any_of_it_opens(whole, tiny_checkpoint):
    (whole / METADATA).unlink()
    (whole / "README.md").write_text(tiny_checkpoint.card)
    for file in whole.glob("*.onnx"):
        put(whole, file.name, without_properties(file.read_bytes()))
    assert archive.check(whole).card == tiny_checkpoint.card
    assert {path.suffix for path in whole.iterdir()} == {".onnx", ".npz", ".csv", ".md", ".json"}


def test_a_folder_of_another_name_and_another_head_are_no_contradiction(whole, tiny_checkpoint):
    text = (whole / "README.md").read_text().replace("library_name", "library")
    (whole / "README.md").write_text(text)
    found = Checkpoint.load(whole)
    assert (found.name, found.digest, found.card) == ("copy", tiny_checkpoint.digest, tiny_checkpoint.card)


CONTRADICTIONS = [
    ("vaead.spacing_mm", "1", 'says vaead.spacing_mm is 1, its description says 2'),
    ("vaead.format_version", "3", 'says vaead.format_version is 3, its description says 2'),
    ("vaead.image_size", "64", 'says vaead.image_size is 64, its description says 96'),
    ("vaead.atlas", "MNI152", 'says vaead.atlas is MNI152, its description says SRI24'),
    ("vaead.preprocessor", "{}", 'says vaead.preprocessor is {}, its description says {"averaged"'),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "sentence"), CONTRADICTIONS)
def test_an_onnx_file_that_contradicts_the_description_is_one_sentence(copy, key, value, sentence):
    told(copy, **{key: value})
    said = refusal(copy)
    assert said.startswith(f"In copy, encoder.onnx {sentence}")
    assert said.endswith("; copy the checkpoint again.")


def test_what_an_onnx_file_says_of_other_things_is_not_compared(copy):
    told(copy, author="somebody", **{"vaead.checkpoint": "another", "model_license": "MIT", "vaead.later": "1"})
    assert archive.check(copy).name == "copy"


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("version",), "9.9.9", 'version is "9.9.9"'),
        (("vaead", "format_version"), 1, "vaead.format_version is 1"),
        (("vaead", "preprocessor", "spacing_mm"), 1, "vaead.preprocessor.spacing_mm is 1"),
        (("vaead", "preprocessor", "spacing_mm"), 2.0, "vaead.preprocessor.spacing_mm is 2.0"),
        (("vaead", "preprocessor", "contrast"), "b\0ad" * 99, "vaead.preprocessor is {"),
        (("network_data_format", "inputs", "image", "spatial_shape"), [64, 64], "spatial_shape is [64, 64]"),
    ],
)
def test_metadata_that_contradicts_the_description_is_one_sentence(copy, path, value, sentence):
    said = json.loads((copy / METADATA).read_text())
    at = said
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    (copy / METADATA).write_text(json.dumps(said))
    found = refusal(copy)
    assert found.startswith("In copy, metadata.json says ")
    assert sentence in found
    assert len(found) < 300
    assert command.main([str(copy)]) == 0, "its command makes it anew"
    assert archive.check(copy).name == "copy"


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[]", b"{}", b"[" * 100_000, b'{"version": NaN}', b'{"version": "0.1.0", "vaead": 3}'],
    ids=["empty", "no text", "a list", "nothing in it", "deep", "no number", "another shape"],
)
def test_metadata_that_cannot_be_read_is_one_sentence(copy, content):
    (copy / METADATA).write_bytes(content)
    assert refusal(copy) == "metadata.json of copy is damaged; copy the checkpoint again, or remove that file."


def test_metadata_of_an_upload_is_bounded(copy, tmp_path):
    (copy / METADATA).write_bytes(b" " * (1 << 20))
    with pytest.raises(CheckpointError, match=r"metadata\.json unpacks to 1 MB; at most 0\.25 are read"):
        archive.unpack(archive.packed(copy), "a.zip", tmp_path)


def entry(*parts: bytes) -> bytes:
    body = b"".join(parts)
    return b"\x72" + bytes([len(body)]) + body


HOSTILE = {
    "a control character": entry(b"\x0a\x01a", b"\x12\x02a\x00"),
    "a line": entry(b"\x0a\x01a", b"\x12\x02a\n"),
    "a turned direction": entry(b"\x0a\x01a", b"\x12\x03" + "\u202e".encode()),
    "no key": entry(b"\x12\x01a"),
    "a key twice": entry(b"\x0a\x01a", b"\x0a\x01b"),
    "two of one key": entry(b"\x0a\x01a") * 2,
    "no UTF-8": entry(b"\x0a\x01\xff"),
    "a field of its own": entry(b"\x0a\x01a", b"\x1a\x01a"),
    "a number": b"\x70\x01",
    "many": b"".join(entry(b"\x0a\x03" + f"{n:03d}".encode()) for n in range(65)),
    "long": b"\x72\x86\x20\x0a\x01a\x12\x80\x20" + b"a" * 4096,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_properties_are_one_sentence(copy, kind):
    plain = without_properties((copy / "encoder.onnx").read_bytes())
    put(copy, "encoder.onnx", plain + HOSTILE[kind])
    assert refusal(copy) == "What encoder.onnx of copy says of itself is damaged; copy the checkpoint again."


def test_what_runs_holds_no_properties_and_may_say_any_word(whole, tiny_checkpoint_folder):
    told(whole, note="the location of a lesion")
    archive.check(whole)
    seen = []

    def open_graph(content: bytes) -> OnnxGraph:
        seen.append(content)
        return OnnxGraph(content)

    Checkpoint.load(whole, open_graph)
    assert all(not onnx.load_from_string(content).metadata_props for content in seen)
    assert len(seen) == len(list(whole.glob("*.onnx")))
    assert seen[0] == without_properties((tiny_checkpoint_folder / "encoder.onnx").read_bytes())


def test_its_command_says_what_it_cannot_use(tmp_path, capsys):
    assert command.main([str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"{tmp_path.name} is not a checkpoint folder: it has no checkpoint.json.\n"
