"""A checkpoint packed and unpacked again, and each way in which an upload can be wrong or hostile."""

import gc
import io
import json
import os
import pickle
import re
import struct
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.fuzz import graphs
from tests.fuzz.graphs import BODY, number
from tests.support.descriptions import older
from tests.support.hostile import ENDLESS, HUNGRY, bomb, hostile, workers
from vaead_core.checkpoints import archive as module
from vaead_core.checkpoints.archive import check, packed, unpack
from vaead_core.checkpoints.checkpoint import DESCRIPTION, FILES, FORMAT_VERSION, Checkpoint, checksum
from vaead_core.checkpoints.untrusted import check_arrays, check_graph
from vaead_core.computing import apart
from vaead_core.errors import CheckpointError

SHIPPED = sorted(path.parent for path in (Path(__file__).resolve().parents[1] / "checkpoints").glob("[!.]*/checkpoint.json"))


@pytest.fixture
def files(few_checkpoint_folder) -> dict[str, bytes]:
    """Of a checkpoint that is soon looked at."""
    return {path.name: path.read_bytes() for path in few_checkpoint_folder.iterdir()}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def signed(files: dict[str, bytes], **description) -> dict[str, bytes]:
    """With checksums as they now are, as anyone can write them."""
    files = older(files) if description else files
    whole = json.loads(files[DESCRIPTION]) | description
    whole["files"] = {name: checksum(name, content) for name, content in files.items() if name != DESCRIPTION}
    return files | {DESCRIPTION: json.dumps(whole).encode()}


def refusal(content: bytes, folder: Path) -> str:
    """The sentence that an upload is refused with; nothing of it is left."""
    with pytest.raises(CheckpointError) as caught:
        unpack(content, "mine.zip", folder)
    assert "\n" not in str(caught.value)
    assert list(folder.iterdir()) == []
    return str(caught.value)


def test_a_packed_checkpoint_unpacks_to_the_same_files(tiny_checkpoint_folder, tmp_path):
    content = packed(tiny_checkpoint_folder)
    files = {path.name: path.read_bytes() for path in tiny_checkpoint_folder.iterdir()}
    folder = unpack(content, "anything.zip", tmp_path)
    assert folder == tmp_path / "tiny"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files
    assert Checkpoint.load(folder).digest == Checkpoint.load(tiny_checkpoint_folder).digest
    assert packed(folder) == content


def test_a_name_that_is_taken_gets_a_number(few_checkpoint_folder, tmp_path):
    content = packed(few_checkpoint_folder)
    assert [unpack(content, "a.zip", tmp_path).name for _ in range(3)] == ["tiny", "tiny-2", "tiny-3"]


@pytest.mark.parametrize(
    ("upload", "name"),
    [("my model (1).zip", "my-model-1"), ("../../etc.zip", "etc"), ("....zip", "upload"), ("ü.zip", "upload")],
)
def test_files_without_a_folder_take_the_uploads_name(files, tmp_path, upload, name):
    assert unpack(zipped(files), upload, tmp_path).name == name


def test_what_macos_adds_is_left_out(files, tmp_path):
    litter = {"__MACOSX/m/._README.md": b"x", "m/.DS_Store": b"x"}
    folder = unpack(zipped({f"m/{name}": data for name, data in files.items()} | litter), "m.zip", tmp_path)
    assert {path.name for path in folder.iterdir()} == files.keys()


@pytest.mark.parametrize(("stride", "taken"), [(1, False), (7, False), (8, True)])
def test_patches_that_overlap_so_much_that_a_scan_becomes_gigabytes_are_refused(tmp_path, stride, taken):
    [patches] = (folder for folder in SHIPPED if folder.name == "brain-patches-2mm")
    content = zipped(signed({path.name: path.read_bytes() for path in patches.iterdir()}, stride=stride))
    if taken:
        assert unpack(content, "mine.zip", tmp_path).name == "mine"
    else:
        assert "do not belong together" in refusal(content, tmp_path)


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda path: path.name)
def test_what_ships_would_be_taken_as_an_upload(shipped):
    assert check(shipped).name == shipped.name


def test_an_altered_checkpoint_is_not_packed(tiny_checkpoint_folder, tmp_path):
    folder = tmp_path / "altered"
    folder.mkdir()
    for path in tiny_checkpoint_folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes() + b" ")
    with pytest.raises(CheckpointError, match="altered"):
        packed(folder)


@pytest.mark.parametrize(
    "path",
    [
        "../checkpoint.json", "/etc/README.md", "a/../../README.md", "a/b/README.md", "..\\README.md", "C:\\README.md",
        "weights.pkl", "m/model.pt", "m/.ssh", ".m/README.md", "m//README.md",
    ],
)  # fmt: skip
def test_a_path_that_no_checkpoint_has_is_refused(files, tmp_path, path):
    inside = tmp_path / "inside"
    inside.mkdir()
    assert "which no checkpoint has" in refusal(zipped({path: b"x", **files}), inside)
    assert list(tmp_path.iterdir()) == [inside]


def test_a_link_becomes_a_plain_file_that_its_checksum_refuses(files, tmp_path):
    content = io.BytesIO(zipped({name: data for name, data in files.items() if name != "README.md"}))
    with zipfile.ZipFile(content, "a") as archive:
        link = zipfile.ZipInfo("README.md")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert "README.md of mine was altered" in refusal(content.getvalue(), tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_refused(files, tmp_path):
    content = io.BytesIO(zipped(files))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("README.md", "another")
    assert "README.md twice" in refusal(content.getvalue(), tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_its_checksum_does_not_fit_is_refused(files, tmp_path, name):
    assert f"{name} of mine was altered" in refusal(zipped(files | {name: files[name] + b" "}), tmp_path)


def test_two_checkpoints_in_one_upload_are_refused(files, tmp_path):
    both = {f"a/{DESCRIPTION}": files[DESCRIPTION], "b/README.md": b"x"}
    assert "several folders" in refusal(zipped(both), tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not a zip archive"), (b"PK\x05\x06", "not a zip archive"), (b"hello" * 100, "not a zip archive"),
        (zipped({}), "has no checkpoint.json"), (zipped({"README.md": b"# Hello"}), "has no checkpoint.json"),
        (zipped({DESCRIPTION: b"[" * 100_000}), "damaged"), (zipped({DESCRIPTION: b"[]"}), "damaged"),
        (zipped({DESCRIPTION: b'{"format_version": %d, "files": 3}' % FORMAT_VERSION}), "damaged"),
        (zipped({DESCRIPTION: b'{"format_version": %d, "files": {}}' % FORMAT_VERSION}), "lacks encoder.onnx"),
        (zipped({DESCRIPTION: b'{"format_version": 99, "files": {}}'}), "checkpoint format 99"),
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_one_sentence(content, sentence, tmp_path):
    assert sentence in refusal(content, tmp_path)


@pytest.mark.parametrize("place", np.linspace(0.02, 0.999, 12).round(3).tolist())
def test_a_damaged_archive_is_one_sentence(tiny_checkpoint_folder, tmp_path, place):
    content = bytearray(packed(tiny_checkpoint_folder))
    content[int(len(content) * place)] ^= 0xFF
    refusal(bytes(content), tmp_path)
    refusal(bytes(content[: int(len(content) * place)]), tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_compressions_are_refused(files, tmp_path, method):
    content = zipped({DESCRIPTION: files[DESCRIPTION]}, method)
    assert "packed in an unusual way; pack it as a plain .zip" in refusal(content, tmp_path)


# Bombs


def peak_of(work) -> int:
    """MB of Python's own memory that `work` took."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] >> 20
    finally:
        tracemalloc.stop()


def test_a_bomb_is_refused_before_it_is_unpacked(files, tmp_path):
    bomb = zipped(files | {"README.md": bytes(300 << 20)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < len(zipped(files)) + (1 << 20)
    said = []
    assert peak_of(lambda: said.append(refusal(bomb, tmp_path))) < 8
    assert said == ["README.md unpacks to 300 MB; at most 0.25 are read."]


def test_a_bomb_that_lies_about_its_size_is_cut_off(files, tmp_path):
    rest = {name: data for name, data in files.items() if name != "README.md"}
    bomb = bytearray(zipped({"README.md": bytes(300 << 20), **rest}, zipfile.ZIP_DEFLATED))
    size = struct.pack("<I", 300 << 20)
    while size in bomb:
        at = bomb.index(size)
        bomb[at : at + 4] = struct.pack("<I", 1000)
    whole = sum(map(len, files.values())) >> 20
    assert peak_of(lambda: refusal(bytes(bomb), tmp_path)) < whole + len(bomb) / 2**20 + 4


def test_an_endless_directory_is_refused_before_it_is_read(tmp_path):
    entry = zipped({"README.md": b""})[:-22]
    start = entry.index(b"PK\x01\x02")
    directory = entry[start:] * 200_000
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 65535, 65535, len(directory), start, 0)
    bomb = entry[:start] + directory + end
    assert peak_of(lambda: refusal(bomb, tmp_path)) < 2


def test_too_large_an_archive_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "ARCHIVE_BYTES", 3 * module.MB)
    assert "may have 3 MB; this one has 4" in refusal(bytes(4 << 20), tmp_path)


def npz(**arrays: bytes) -> bytes:
    return zipped({f"{name}.npy": data for name, data in arrays.items()})


def npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


HUGE = npy(np.zeros(100)).replace(b"(100,), }       ", b"(100000000000,)}")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lambda: npz(mean=npy(np.array([{"a": 1}], object))), "pickles are never loaded"),
        (lambda: npz(mean=pickle.dumps({"mean": 1})), "damaged"),
        (lambda: npz(mean=HUGE), "not a plain array"),
        (lambda: npz(mean=npy(np.zeros(3))[:-8]), "not a plain array"),
        (lambda: npz(**{f"a{n}": npy(np.zeros(0)) for n in range(1001)}), "more than the 1000"),
        (lambda: npz(mean=bytes(600 << 20)), "more than 512 MB"),
        (lambda: pickle.dumps({"mean": 1}), "not a zip archive"),
    ],
    ids=["objects", "a pickle", "a huge shape", "a short array", "many arrays", "a bomb", "no archive"],
)
def test_arrays_that_are_not_what_they_say_are_refused_unread(content, sentence):
    made = content()

    def work() -> None:
        with pytest.raises(CheckpointError, match=sentence):
            check_arrays(made, "latents.npz")

    assert peak_of(work) < 8


def test_arrays_inside_an_upload_are_looked_at_before_they_are_loaded(files, tmp_path):
    assert "not a plain array" in refusal(zipped(signed(files | {"latents.npz": npz(mean=HUGE)})), tmp_path)


def calibration_with(files: dict[str, bytes], **arrays) -> bytes:
    """The calibration with further arrays, packed as small as they go."""
    held, content = dict(np.load(io.BytesIO(files["calibration.npz"]))), io.BytesIO()
    np.savez_compressed(content, **held, **arrays)
    return content.getvalue()


@pytest.mark.parametrize("name", ["reference/intensity2/mean", "scorer/residual2/pixels", "memory/patch_novelty/patches"])
def test_half_a_megabyte_that_unpacks_to_gigabytes_is_refused_unread(few_checkpoint_folder, tmp_path, name):
    upload, into = packed(bomb(few_checkpoint_folder, tmp_path / "bomb", name)), tmp_path / "into"
    into.mkdir()
    assert len(upload) < len(packed(few_checkpoint_folder)) + (1 << 20)
    said = []
    assert peak_of(lambda: said.append(refusal(upload, into))) < 120  # the atlas among it, where it was not read before
    assert "calibration.npz holds more values than a network of its slices has" in said[0]


def test_many_references_of_a_fine_grid_are_refused_unread(files, tmp_path):
    many = {f"reference/q{n}/mean": np.zeros((78, 96, 96), np.int8) for n in range(30)}
    upload = zipped(signed(files | {"calibration.npz": calibration_with(files, **many)}))
    assert "holds more values" in refusal(upload, tmp_path)


def test_room_is_asked_for_before_arrays_are_read(files, tmp_path):
    asked = []

    def none_left(needed: int) -> None:
        asked.append(needed)
        raise CheckpointError("no room")

    with pytest.raises(CheckpointError, match="no room"):
        unpack(zipped(files), "mine.zip", tmp_path, none_left)
    values = sum(array.size for array in np.load(io.BytesIO(files["calibration.npz"])).values())
    assert asked == [8 * values]
    assert list(tmp_path.iterdir()) == []


def graph(*nodes, **more) -> bytes:
    """A model of `nodes` from images (1, 1, 96, 96)."""
    images, mean = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 1, 96, 96]) for n in ("images", "mean"))
    return helper.make_model(helper.make_graph(nodes, "graph", [images], [mean], **more)).SerializeToString()


def outside() -> bytes:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return graph(helper.make_node("Add", ["images", "w"], ["mean"]), initializer=[tensor])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (graph(helper.make_node("Loop", ["", ""], ["mean"], body=BODY)), "holds Loop, which no network"),
        (graph(helper.make_node("Add", ["images", "images"], ["mean"], domain="evil")), "holds evil, which no network"),
        (outside(), "keeps weights in another file"),
        (graph(), "no operator"),
        (b"", "no operator"),
        (b"\xff" * 50, "not an ONNX graph"),
        (b"\x3a\x7f", "not an ONNX graph"),
        (pickle.dumps([1]), "not an ONNX graph"),
    ],
    ids=["a loop", "another domain", "weights outside", "nothing", "empty", "noise", "short", "a pickle"],
)
def test_a_graph_that_is_none_of_ours_is_refused_unread(content, sentence):
    with pytest.raises(CheckpointError, match=sentence):
        check_graph(content, "encoder.onnx")


def test_no_operator_of_a_graph_is_overlooked(files):
    for name in ("encoder.onnx", "decoder.onnx"):
        check_graph(files[name], name)
        model = onnx.load_from_string(files[name])
        for node in {node.op_type: node for node in model.graph.node}.values():
            known, node.op_type = node.op_type, "Foreign"
            with pytest.raises(CheckpointError, match="holds Foreign"):
                check_graph(model.SerializeToString(), name)
            node.op_type = known


def with_loop_under(tag: bytes) -> bytes:
    """A graph of one Add, and a Loop as a node whose tag is written so: parsers of 32 bits read it as a node's."""
    plain = onnx.load_from_string(graph(helper.make_node("Add", ["images", "images"], ["mean"])))
    loop = helper.make_node("Loop", ["", ""], ["other"], body=BODY).SerializeToString()
    inner = plain.graph.SerializeToString() + tag + number(len(loop)) + loop
    plain.ClearField("graph")
    return plain.SerializeToString() + b"\x3a" + number(len(inner)) + inner


@pytest.mark.parametrize(
    "tag", [number(0x0A | 1 << 32), number(0x0A, 2), number(0x0A, 5)], ids=["beyond 32 bits", "two bytes", "five bytes"]
)
def test_a_node_under_an_over_long_tag_is_refused(tag):
    with pytest.raises(CheckpointError, match="is not an ONNX graph"):
        check_graph(with_loop_under(tag), "encoder.onnx")


@pytest.mark.parametrize("of", ["values", "images"])
def test_a_size_that_follows_from_values_is_refused_and_one_from_shapes_is_not(few_checkpoint_folder, tmp_path, of):
    content = (hostile(few_checkpoint_folder, tmp_path / "mine", ENDLESS, of) / "encoder.onnx").read_bytes()
    if of == "images":
        check_graph(content, "encoder.onnx")
        return
    with pytest.raises(CheckpointError, match=r"encoder\.onnx holds a size that follows from the scan"):
        check_graph(content, "encoder.onnx")


@pytest.mark.parametrize(("more", "sentence"), [(ENDLESS, "took longer than 2 s"), (HUNGRY, "asked for more memory")])
def test_a_network_that_one_blank_image_shows_to_ask_too_much_is_refused(
    few_checkpoint_folder, tmp_path, monkeypatch, more, sentence
):
    monkeypatch.setattr(apart, "FIRST_SECONDS", 2.0)
    monkeypatch.setattr(apart, "SECONDS_AN_INPUT", 0.0)
    content = packed(hostile(few_checkpoint_folder, tmp_path / "mine", (8 * more[0], more[1]), "all"))
    (tmp_path / "into").mkdir()
    assert f"The network of mine {sentence}" in refusal(content, tmp_path / "into")
    gc.collect()  # what the error holds
    assert not workers(os.getpid())


def test_of_10000_mutated_graphs_none_has_nodes_that_the_check_did_not_see():
    """protobuf's own parser, which is ONNX Runtime's, is the other reader."""
    rng, passed = np.random.default_rng(0), 0
    chain = [helper.make_node(kind, ["images"], [f"x{n}"]) for n, kind in enumerate(("Relu", "Tanh", "Exp", "Abs"))]
    plain = onnx.load_from_string(graph(*chain, helper.make_node("Add", ["images", "x0"], ["mean"])))
    for _ in range(10_000):
        with suppress(CheckpointError):
            passed += graphs.take(graphs.graph_file(plain.graph.SerializeToString(), rng))
    assert passed > 500


@pytest.mark.parametrize(
    "changes",
    [
        {"stride": 0}, {"stride": 8.5}, {"stride": 10_000}, {"preprocessor": None},
        {"preprocessor": {"spacing_mm": 1e-9}}, {"preprocessor": {"spacing_mm": 1}},
        {"preprocessor": {"background": "red"}}, {"preprocessor": {"background_seed": -1}}, {"preprocessor": {"evil": 1}},
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_do_not_fit_the_network_are_refused(files, tmp_path, changes):
    said = refusal(zipped(signed(files, **changes)), tmp_path)
    assert "do not belong together" in said or re.search(r"is damaged \((stride|preprocessor\.\w+) (must|is none)", said)


def test_graphs_that_changed_places_are_refused(files, tmp_path):
    swapped = signed(files | {"encoder.onnx": files["decoder.onnx"], "decoder.onnx": files["encoder.onnx"]})
    refusal(zipped(swapped), tmp_path)


def test_a_card_that_is_no_text_is_refused(files, tmp_path):
    assert "cannot be read" in refusal(zipped(signed(files | {"README.md": b"\xff\xfe\xff"})), tmp_path)


def test_a_file_without_a_name_is_refused(files, tmp_path):
    content = io.BytesIO(zipped(files))
    with zipfile.ZipFile(content, "a") as archive:
        nameless = zipfile.ZipInfo("placeholder")
        nameless.filename = ""
        archive.writestr(nameless, b"x")
    assert "a file without a name" in refusal(content.getvalue(), tmp_path)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(data, "do not belong together") for data in ("/etc", "../../private", "..", "synthetic:999999999")]
    + [(3, "is damaged (training.data must be text)")],
)  # fmt: skip
def test_a_checkpoint_names_no_folder_of_the_server(files, tmp_path, data, sentence):
    training = json.loads(files[DESCRIPTION])["training"] | {"data": data}
    said = refusal(zipped(signed(files, training=training)), tmp_path)
    assert sentence in said


@pytest.mark.parametrize("part", ["latents.npz", "calibration.npz"])
@pytest.mark.parametrize("value", [np.nan, np.inf], ids=["NaN", "infinite"])
def test_arrays_that_are_not_finite_are_refused(files, tmp_path, part, value):
    with np.load(io.BytesIO(files[part])) as arrays:
        spoiled = {name: np.full_like(held, value) if held.dtype.kind == "f" else held for name, held in arrays.items()}
    content = io.BytesIO()
    np.savez(content, **spoiled)
    assert "do not belong together" in refusal(zipped(signed(files | {part: content.getvalue()})), tmp_path)
