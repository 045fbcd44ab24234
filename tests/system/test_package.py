"""The wheel, installed on its own in an empty folder: what whoever has no checkout can do."""

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import pytest

from tests.support.heads import head_around
from vaead_core.__main__ import IN_REPOSITORY
from vaead_core.cohorts.samples import load_sample
from vaead_core.cohorts.synthetic import synthetic_brain
from vaead_core.measures.metrics import dice

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def vaead(tmp_path_factory) -> Path:
    """The command of a fresh environment that holds the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("package")
    subprocess.run([UV, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT], check=True)
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    (wheel,) = folder.glob("vaead-*.whl")
    install = [UV, "pip", "install", "--quiet", "--python", folder / "venv", "--constraints", ROOT / "requirements.txt", wheel]
    subprocess.run(install, check=True)
    return folder / "venv" / "bin" / "vaead"


def run(vaead: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([vaead, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_a_scan_is_scored_by_the_default_model(vaead, tmp_path):
    sample = load_sample("healthy brain B with a painted lesion")
    nib.save(nib.Nifti1Image(sample.scan.data, sample.scan.affine), tmp_path / "scan.nii.gz")
    ran = run(vaead, tmp_path, "score", "scan.nii.gz", "--scorers", "residual", "voxel_atlas", "--out", "maps")
    assert ran.returncode == 0, ran.stderr
    written = sorted(path.name for path in (tmp_path / "maps").iterdir())
    assert written == ["scan_residual.nii.gz", "scan_scores.json", "scan_voxel_atlas.nii.gz"]
    assert json.loads((tmp_path / "maps" / "scan_scores.json").read_text())["checkpoint"]["name"] == "brain-slices-2mm"


def test_a_study_is_scored_and_shown_by_what_the_wheel_holds(vaead, tmp_path):
    sample = load_sample("healthy brain B with a painted lesion")
    (tmp_path / "raw/sub-01/anat").mkdir(parents=True)
    nib.save(nib.Nifti1Image(sample.scan.data, sample.scan.affine), tmp_path / "raw/sub-01/anat/sub-01_T1w.nii.gz")
    for words in (("participant", "--scorers", "voxel_atlas"), ("group",)):
        ran = run(vaead, tmp_path, "raw", "out", *words)
        assert ran.returncode == 0, ran.stderr
    page = (tmp_path / "out/group.html").read_text()
    assert "id='picture-0'>data:image/webp;base64," in page
    assert page.endswith("</html>\n")


def test_a_whole_head_is_scored_by_the_networks_of_the_wheel(vaead, tmp_path):
    brain = synthetic_brain(7, 0, 40.0)
    head, mask = head_around(brain)
    nib.save(nib.Nifti1Image(head.data, head.affine), tmp_path / "head.nii.gz")
    ran = run(vaead, tmp_path, "score", "head.nii.gz", "--scorers", "voxel_atlas", "--out", "maps")
    assert ran.returncode == 0, ran.stderr
    assert json.loads((tmp_path / "maps" / "head_scores.json").read_text())["brain_found_by"] == "networks"
    found = nib.load(tmp_path / "maps" / "head_brain.nii.gz").get_fdata() > 0
    assert dice(found, mask) > 0.95


def test_help_lists_all_commands(vaead, tmp_path):
    ran = run(vaead, tmp_path, "--help")
    assert ran.returncode == 0
    for command in ("score", "evaluate", "report", *IN_REPOSITORY):
        assert f"\n    {command} " in ran.stdout


@pytest.mark.parametrize("command", IN_REPOSITORY)
def test_what_needs_the_repository_says_so(vaead, tmp_path, command):
    ran = run(vaead, tmp_path, command, "--help")
    assert ran.returncode == 2
    assert ran.stderr == f"vaead {command} needs the repository, of which this is the package alone; run it there.\n"
