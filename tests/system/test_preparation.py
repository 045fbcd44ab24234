"""Preparing a cohort on several processes or a Dask cluster gives the bytes that one process gives."""

from pathlib import Path

import nibabel as nib
import pytest

from tests.support.trainings import tiny
from training.data import load_data
from vaead_core.checkpoints.provenance import SUBSETS
from vaead_core.cohorts.nifti_folder import nifti_folder
from vaead_core.cohorts.preparation import Ready, prepare
from vaead_core.scans.preprocessing import Preprocessor


@pytest.mark.parametrize("how", ["jobs", "dask"])
def test_two_workers_prepare_the_cohort_to_the_bytes_of_one_process(how, request, tiny_cohort):
    settings = {"jobs": 2} if how == "jobs" else {"dask": request.getfixturevalue("dask_cluster")}
    found = load_data(tiny(Path("nowhere"), **settings))
    for part in SUBSETS:
        ours, theirs = getattr(found, part), getattr(tiny_cohort, part)
        assert ours.slices.digest == theirs.slices.digest
        assert (ours.names, ours.ages) == (theirs.names, theirs.ages)


def test_workers_keep_the_order_and_say_which_scan_is_broken(brain_volume, tmp_path, dask_cluster):
    for name in ("a", "c"):
        nib.save(nib.Nifti1Image(brain_volume.data, brain_volume.affine), tmp_path / f"{name}.nii.gz")
    (tmp_path / "b.nii.gz").write_bytes(b"\x1f\x8b rubbish")
    found = [
        (subject.id, ready) for subject, ready in prepare(nifti_folder(tmp_path).subjects, Preprocessor(), dask=dask_cluster)
    ]
    assert [name for name, _ in found] == ["a", "b", "c"]
    assert found[1][1] == "b.nii.gz is a damaged or cut-off gzip file; copy or download it again."
    assert isinstance(found[0][1], Ready)
    assert found[0][1].slices.digest == found[2][1].slices.digest
