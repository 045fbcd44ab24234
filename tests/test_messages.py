"""What a reader is told to do can be done where the reader is."""

import ast
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from vaead_core.errors import CheckpointError, exit_status
from vaead_core.scans.dicom_series import SeveralSeriesError
from vaead_core.scans.geometry import Placement
from vaead_core.scans.registration.gate import PlacementError
from vaead_core.scans.volume import Volume

ROOT = Path(__file__).resolve().parents[1]
OF_A_TERMINAL = re.compile(r"(^|\s)--[a-z]|python -m |pip install|streamlit run")
TOLD = {"st.error", "st.info", "st.warning", "st.caption", "warn", "refuse", "InputError", "ScanError", "CheckpointError"}
OF_COMMANDS = {"experiments/evaluation.py", "experiments/records.py", "experiments/catalogue.py", "computing/dask_cluster.py"}
OF_COMMANDS |= {"study/participants_stage.py", "study/synthetic_study.py"}
PAGES = sorted((ROOT / "pages").rglob("*.py"))
CORE = sorted(set((ROOT / "vaead_core").rglob("*.py")))


def sentences(path: Path) -> list[str]:
    """The first arguments of calls that tell a reader something, with {} for what is filled in."""
    found = []
    for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
        if ast.unparse(call.func) in TOLD and call.args:
            found += ["".join(str(getattr(part, "value", "")) for part in _parts(call.args[0]))]
    return found


def _parts(said: ast.expr) -> list[ast.expr]:
    return said.values if isinstance(said, ast.JoinedStr) else [said]


@pytest.mark.parametrize("path", PAGES + CORE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_browser_can_show_names_no_command_line(path):
    if not path.as_posix().endswith(tuple(OF_COMMANDS)) and "report" not in path.parts:
        assert [said for said in sentences(path) if OF_A_TERMINAL.search(said)] == []


def test_sentences_are_found_by_this_test():
    assert sum(len(sentences(path)) for path in PAGES + CORE) > 60


@pytest.mark.parametrize(
    "error",
    [
        CheckpointError("It lacks one.", "python -m training.companions it"),
        SeveralSeriesError("There are two.", ()),
        PlacementError("It lies badly.", Volume(np.ones((2, 2, 2)), np.eye(4)), Placement(np.eye(4), 0.1, 0.9, 1.0, "top")),
    ],
)
def test_an_error_comes_back_whole_from_another_process(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.in_terminal == error.in_terminal
    assert vars(again).keys() == vars(error).keys()


def test_a_terminal_is_told_the_command_too(capsys):
    def refuses() -> None:
        raise CheckpointError("It lacks a segmenter; choose another scorer.", "python -m training.companions it")

    assert exit_status(refuses, Path("out"), "nothing was written") == 2
    assert capsys.readouterr().err == "It lacks a segmenter; choose another scorer. Or run: python -m training.companions it\n"
