"""Real patients' scans, scored by the checkpoint that ships with every method that it has."""

import nibabel as nib
import numpy as np

from tests.support.scans import development_data
from vaead_core import scorers
from vaead_core.__main__ import main
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.search import shipped


def test_maps_of_a_patient_overlay_the_scan_exactly(tmp_path, capsys):
    folder = development_data("lesions") / "ms_patient07"
    arguments = ["score", str(folder / "t1.nii.gz"), "--truth", str(folder / "lesion.nii.gz"), "--out", str(tmp_path)]
    assert main([*arguments, "--checkpoint", str(shipped())]) == 0
    scan = nib.load(folder / "t1.nii.gz")
    maps = scorers.map_scorers(Checkpoint.load(shipped()).model)
    for name in maps:
        image = nib.load(tmp_path / f"t1_{name}.nii.gz")
        assert image.shape == scan.shape
        np.testing.assert_array_equal(image.affine, scan.affine)
        for code in ("qform_code", "sform_code"):
            assert image.header[code] == scan.header[code]
        assert not image.get_fdata()[scan.get_fdata() == 0].any()
    assert capsys.readouterr().out.count("prevalence 0.0011") == len(maps)
