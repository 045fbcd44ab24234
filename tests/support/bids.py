"""A small study as BIDS arranges it, with all that goes wrong in one."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np

from tests.support.scans import scan_file
from vaead_core.cohorts.synthetic import synthetic_brain

FEW_MAPS = ("residual", "voxel_atlas")


def study_tree(folder: Path) -> Path:
    """sub-01 has two sessions, sub-02 the same scan in two runs and no row of participants.tsv; the scans of sub-03 and sub-04
    are damaged, that of sub-05 is 4-D and has a T2w beside it."""
    first, second = synthetic_brain(7, 0, 40.0), synthetic_brain(7, 1, 60.0)
    put(folder, "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz", scan_file(first))
    put(folder, "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii.gz", scan_file(first, 1.5))
    for run in (1, 2):
        put(folder, f"sub-02/anat/sub-02_run-{run}_T1w.nii.gz", scan_file(second))
    put(folder, "sub-03/anat/sub-03_T1w.nii.gz", scan_file(first))
    whole = folder / "sub-03/anat/sub-03_T1w.nii.gz"
    whole.write_bytes(whole.read_bytes()[:20000])
    (folder / "sub-04/anat").mkdir(parents=True)
    (folder / "sub-04/anat/sub-04_T1w.nii").write_bytes(b"\0" * 400)
    several = nib.Nifti1Image(np.stack([first.data[::2, ::2, ::2]] * 2, axis=-1), first.affine)
    put(folder, "sub-05/anat/sub-05_T1w.nii.gz", several.to_bytes())
    put(folder, "sub-05/anat/sub-05_T2w.nii.gz", scan_file(first, 0.5))
    rows = [
        "participant_id\tage\tgroup",
        "sub-01\t40\tcontrol",
        "sub-03\t30\tpatient",
        "sub-04\t31\tcontrol",
        "sub-05\tn/a\tpatient",
    ]
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    about = {"Name": "A small study", "BIDSVersion": "1.11.0", "DatasetType": "raw"}
    (folder / "dataset_description.json").write_text(json.dumps(about))
    return folder


def put(folder: Path, inside: str, content: bytes) -> Path:
    """A gzipped file of the dataset."""
    path = folder / inside
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content, 1, mtime=0))
    return path


def written(out: Path) -> dict[str, bytes]:
    """All files of a folder of results."""
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def issues(folder: Path, scratch: Path, severity: str) -> list[dict]:
    """What the validator of BIDS says of a folder. scratch: where Deno keeps what it compiles."""
    command = [Path(sys.executable).with_name("bids-validator-deno"), "--format", "json", folder]
    ran = subprocess.run(command, env=os.environ | {"DENO_DIR": str(scratch)}, capture_output=True, text=True, check=False)
    return [one for one in json.loads(ran.stdout)["issues"]["issues"] if one["severity"] == severity]
