import io

import numpy as np
import pytest
from PIL import Image

from vaead_core.figures.outline import LINE, outline_png, placement_png
from vaead_core.scans import atlas
from vaead_core.scans.geometry import AffineToAtlas
from vaead_core.scans.volume import Volume


def test_the_atlas_is_drawn_where_it_is_laid_and_not_beside_the_scan():
    scan, turned = atlas.t1(), np.diag([1.0, 1, 1, 1])
    turned[0, 3] = 30
    upright, moved = (
        (np.asarray(Image.open(io.BytesIO(placement_png(scan, AffineToAtlas(way))))) == LINE).all(axis=-1)
        for way in (np.eye(4), turned)
    )
    axial = np.nonzero(upright[:, :360])[1], np.nonzero(moved[:, :360])[1]
    assert axial[1].mean() - axial[0].mean() == pytest.approx(45, abs=2), "30 mm to the patient's left, which is on the right"
    turned[0, 3] = 1000
    assert placement_png(scan, AffineToAtlas(turned)) is None


def test_the_line_lies_where_the_mask_ends_with_the_patients_right_on_the_left():
    data = np.tile(np.linspace(0, 1, 60, dtype=np.float32)[:, None, None], (1, 80, 30))  # brighter to the right
    mask = np.zeros(data.shape, bool)
    mask[40:50, 20:60, 5:25] = True
    picture = np.asarray(Image.open(io.BytesIO(outline_png(Volume(data, np.diag([1.0, 1, 2, 1])), mask))))
    line = (picture == LINE).all(axis=-1)
    axial, coronal, sagittal = line[:, :90], line[:, 96:186], line[:, 192:]
    assert picture.shape[1] == 90 + 6 + 90 + 6 + 120, "1.5 pixels a mm"
    for plane, height in ((axial, 120), (coronal, 90)):
        rows, columns = np.nonzero(plane)
        assert (columns.min(), columns.max() + 1) == (15, 30), "10 to 20 mm from the right edge"
        assert (picture[60, 5] > picture[60, 80]).all(), f"bright is right, in the plane of {height} pixels"
    rows, columns = np.nonzero(sagittal)
    assert (columns.min(), columns.max() + 1) == (30, 90)
    assert rows.max() + 1 - rows.min() == 60, "20 slices of 2 mm"
