"""docs/tutorial.md, followed literally: its commands in an empty folder, and what it shows beside what they print."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.bids import issues

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/tutorial.md").read_text()
OPENS_A_PAGE = "<!-- opens a page -->\n"
STEPS = re.findall(rf"({OPENS_A_PAGE})?```sh\n(.+?)```\n(?:\n```text\n(.+?)```\n)?", TEXT, re.DOTALL)
NUMBER = re.compile(r"-?\d+\.\d+")


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> tuple[Path, list[tuple[str, str, str]]]:
    """The folder, and of each command what it is, what the text shows and what was printed."""
    folder = tmp_path_factory.mktemp("tutorial")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    ran = []
    for opens, command, shown in STEPS:
        if not opens:
            one = subprocess.run(
                ["bash", "-euc", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            assert one.returncode == 0, f"{command}{one.stderr}"
            assert one.stderr == ""
            ran.append((command, shown, one.stdout))
    return folder, ran


def test_the_text_has_its_commands():
    assert [bool(opens) for opens, _, _ in STEPS] == [False, False, False, False, False, True, True, False]
    assert TEXT.count("```sh") == len(STEPS)
    assert len(re.findall("^```", TEXT, re.MULTILINE)) == 2 * (len(STEPS) + sum(bool(shown) for _, _, shown in STEPS))


def test_every_command_prints_what_the_text_shows(followed):
    for command, shown, printed in followed[1]:
        words = NUMBER.sub("#", shown).splitlines()
        found = NUMBER.sub("#", printed).splitlines()
        if "..." in words:
            words.remove("...")
            found = [line for line in found if line in words]
        assert found == words, command
        if "..." not in shown:
            numbers = ([float(one) for one in NUMBER.findall(text)] for text in (printed, shown))
            assert next(numbers) == pytest.approx(next(numbers), rel=0.02), command


def test_every_file_that_the_text_names_is_there(followed):
    named = re.findall(r"`(study/[\w./-]+)`", TEXT)
    assert len(named) > 6
    assert [name for name in named if not (followed[0] / name).exists()] == []


def test_the_dataset_is_one_to_the_validator_of_bids(followed, tmp_path):
    assert issues(followed[0] / "study", tmp_path, "error") == []


def test_the_cohort_page_compares_the_groups_as_the_text_shows(followed, monkeypatch):
    monkeypatch.setenv("VAEAD_DATA", str(followed[0]))
    app = AppTest.from_file(str(ROOT / "pages/cohort.py"), default_timeout=240).run()
    assert app.selectbox(key="cohort_folder").value == "study/derivatives/vaead"
    app.segmented_control(key="cohort_view").set_value("Two groups").run()
    assert not app.exception
    table = app.dataframe[0].value
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in re.findall(r"^\|.+$", TEXT, re.MULTILINE)]
    assert rows[0] == list(table.columns)
    assert rows[2:] == table.astype(str).to_numpy().tolist()


def test_the_largest_cluster_is_the_mass_and_patients_are_flagged(followed):
    import nibabel as nib

    base = followed[0] / "study/derivatives"
    truth = nib.load(base / "truth/sub-006/anat/sub-006_space-T1w_label-lesion_mask.nii.gz").get_fdata() > 0
    labels = nib.load(base / "vaead/sub-006/anat/sub-006_space-T1w_desc-darkAsymmetry_dseg.nii.gz").get_fdata()
    assert (labels[truth] == 1).mean() > 0.9
    assert (labels == 1).sum() > truth.sum()
    said = [line.split("\t")[18] for line in (base / "vaead/group.tsv").read_text().splitlines()[1:]]
    assert said[:3] == ["n/a"] * 3
    assert all("rather its anatomy, or a lesion" in one for one in said[3:])
