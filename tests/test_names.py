from pathlib import Path

import pytest

from vaead_core.scans.names import names_apart, stem


def test_only_the_extension_goes():
    named = {"1.2.840.1.nii.gz": "1.2.840.1", "a.b.NII": "a.b", "x.nii.gz.nii": "x.nii.gz", "plain": "plain"}
    assert {name: stem(name) for name in named} == named


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/t1.nii.gz", "b/t2.nii.gz"], ["t1", "t2"]),
        (["a/t1.nii.gz", "b/t1.nii.gz"], ["a_t1", "b_t1"]),
        (["study/a/anat/t1.nii", "study/b/anat/t1.nii"], ["a_anat_t1", "b_anat_t1"]),
        (["a/T1.nii", "b/t1.nii"], ["a_T1", "b_t1"]),
        (["t1.nii", "t1.nii.gz"], ["t1-1", "t1-2"]),
        (["a_b/c.nii", "a/b_c.nii", "d/c.nii"], ["a_b_c-1", "a_b_c-2", "d_c-3"]),
        (["a/t1.nii", "a/t1.nii"], ["t1", "t1"]),
        (["./a/t1.nii", "a/t1.nii"], ["t1", "t1"]),
    ],
)
def test_no_two_files_share_a_name(paths, names):
    assert names_apart([Path(path) for path in paths]) == names
