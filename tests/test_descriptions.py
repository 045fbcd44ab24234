"""A description that nobody vouches for: refused by one sentence, or all that pages read of it can be shown."""

import copy
import json
import re
import shutil
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pyarrow
import pytest
from streamlit.testing.v1 import AppTest

from tests.support.descriptions import BAD, older, written
from vaead_core.checkpoints.archive import check, packed
from vaead_core.checkpoints.checkpoint import DESCRIPTION, Checkpoint, checksum
from vaead_core.checkpoints.provenance import Provenance, read_preprocessor, read_stride
from vaead_core.checkpoints.summary import facts, read_history, side_by_side
from vaead_core.computing.onnx_graph import OnnxGraph
from vaead_core.errors import CheckpointError, InputError
from vaead_core.experiments.subjects import source_of
from vaead_core.pipeline.latent_space import colours

ROOT = Path(__file__).resolve().parents[1]


def places(said, path=()):
    """Where values lie in a description, of a list the first alone: tables and lists themselves, and what is in them."""
    inner = said.items() if isinstance(said, dict) else list(enumerate(said))[:1] if isinstance(said, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def changed(said: dict, path: tuple, value) -> bytes:
    """The description with another value at one place."""
    said = copy.deepcopy(said)
    at = said
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return written(said)


def shown(folder: Path, other) -> None:
    """What the Checkpoints page draws of a description: its row, and its settings beside another's."""
    found = facts(folder)
    pyarrow.Table.from_pandas(
        pd.DataFrame([{"i": found.images, "a": found.architecture, "l": found.latents, "e": found.epochs, **found.ratios}])
    )
    pyarrow.Table.from_pandas(pd.DataFrame([(row.name, row.first, row.second) for row in side_by_side(found, other)]))


def is_read(content: bytes) -> bool:
    """Whether a description is taken."""
    try:
        said = json.loads(content)
        return bool(Provenance.read(said)) and (read_preprocessor(said), read_stride(said)) is not None
    except (ValueError, RecursionError):
        return False


def older_copy(folder: Path, to: Path) -> Path:
    """A copy that tells other tools nothing, so that a changed description contradicts nothing."""
    to.mkdir()
    files = older({path.name: path.read_bytes() for path in folder.iterdir()})
    said = json.loads(files[DESCRIPTION])
    said["files"] = {name: checksum(name, content) for name, content in files.items() if name != DESCRIPTION}
    for name, content in (files | {DESCRIPTION: written(said)}).items():
        (to / name).write_bytes(content)
    return to


@pytest.mark.parametrize("value", BAD)
def test_a_value_anywhere_in_a_description_is_refused_or_shown(tiny_checkpoint_folder, tmp_path, value):
    said, plain = json.loads((tiny_checkpoint_folder / DESCRIPTION).read_bytes()), facts(tiny_checkpoint_folder)
    refused = []
    for path in places(said):
        (tmp_path / DESCRIPTION).write_bytes(changed(said, path, BAD[value]))
        try:
            shown(tmp_path, plain)
        except CheckpointError as error:
            refused.append(str(error))
    assert len(refused) > 5
    assert set(refused) == {f"{DESCRIPTION} of {tmp_path.name} cannot be read; copy the checkpoint again."}


def test_a_checkpoint_whose_description_is_taken_can_be_used(few_checkpoint_folder, tmp_path):
    """Settings of trainings and versions aside, which are shown and not used: two values an entry, of those that are taken."""
    once = lru_cache(OnnxGraph)  # its networks are the same each time
    folder = older_copy(few_checkpoint_folder, tmp_path / "tiny")
    said, used, refused = json.loads((folder / DESCRIPTION).read_bytes()), 0, []
    for path in (path for path in places(said) if path[0] not in ("training", "versions", "companions", "files")):
        taken = [content for value in BAD.values() if is_read(content := changed(said, path, value))]
        for content in taken[:: max(1, len(taken) - 1)]:
            (folder / DESCRIPTION).write_bytes(content)
            try:
                found = Checkpoint.load(folder, once)
                source_of(found, None)
            except InputError as error:
                refused.append(str(error))
                continue
            used += 1
            read_history(found.history)
            assert all(len(values) == len(found.latents.mean) for values in colours(found).values())
            assert not found.preprocessor or found.preprocessor.slice_grid.image_size == found.model.vae.image_size
    assert used > 20
    assert max(map(len, refused)) < 300


NUMBERS = [("training", "epochs"), ("training", "seed"), ("architecture", "latent_size"), ("reconstruction", "test", "ratio")]


@pytest.mark.parametrize("path", NUMBERS, ids=".".join)
def test_an_upload_with_a_number_of_401_digits_is_one_sentence(tiny_checkpoint_folder, tmp_path, path):
    folder = Path(shutil.copytree(tiny_checkpoint_folder, tmp_path / "tiny"))
    (folder / DESCRIPTION).write_bytes(changed(json.loads((folder / DESCRIPTION).read_bytes()), path, 10**400))
    said = f"{DESCRIPTION} of tiny is damaged ({'.'.join(path)} has too many digits); copy the checkpoint again."
    with pytest.raises(CheckpointError, match=f"^{re.escape(said)}$"):
        check(folder)


# On the pages


@pytest.mark.parametrize("value", ["a number of 401 digits", "no number", "half a character", "deep"])
def test_no_page_fails_for_a_bad_checkpoint_that_is_there(checkpoints, tiny_checkpoint_folder, tmp_path, monkeypatch, value):
    for name in ("bad", "tiny"):
        shutil.copytree(tiny_checkpoint_folder, tmp_path / name)
    said = json.loads((tmp_path / "bad" / DESCRIPTION).read_bytes())
    (tmp_path / "bad" / DESCRIPTION).write_bytes(changed(said, ("training", "epochs"), BAD[value]))
    monkeypatch.setenv("VAEAD_CHECKPOINTS", str(tmp_path))
    for page in ("explore", "toy_lab", "cohort", "latent_space", "benchmark", "checkpoints"):
        app = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=240)
        app.session_state.methods = ["voxel_atlas"]  # whose maps nobody looks at
        app.run()
        assert not app.exception
        if page == "checkpoints":
            assert [error.value for error in app.error] == [f"{DESCRIPTION} of bad cannot be read; copy the checkpoint again."]
            assert list(app.dataframe[0].value["Name"]) == ["tiny"]
        elif page not in ("benchmark", "cohort"):
            app.selectbox(key="checkpoint").set_value("bad").run()
            assert not app.exception
            assert "checkpoint.json of bad is damaged (training.epochs" in app.error[0].value


@pytest.mark.parametrize("damage", [DESCRIPTION, "history.csv"])
def test_a_bad_checkpoint_of_ones_own_is_listed_and_can_be_removed(checkpoints, tiny_checkpoint_folder, damage):
    app = AppTest.from_file(str(ROOT / "pages" / "checkpoints.py"), default_timeout=240).run()
    content = packed(tiny_checkpoint_folder)
    app.segmented_control[0].set_value("Upload").run()
    app.file_uploader(key="archive").set_value(("mine.zip", content, "application/zip")).run()
    own = Path(app.session_state["own_checkpoints"].name) / "tiny"
    (own / damage).write_text("{")
    app.segmented_control[0].set_value("Inspect").run()
    if damage != DESCRIPTION:
        app.selectbox(key="inspected").set_value("tiny (yours)").run()
    assert not app.exception
    assert "of tiny" in app.error[0].value
    [remove] = [button for button in app.button if button.label == "Remove"]
    remove.click().run()
    assert not app.exception
    assert not app.error
    assert not own.exists()
