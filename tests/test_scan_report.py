import hashlib
import io
import re
from dataclasses import replace
from html import escape

import numpy as np
import pytest
from matplotlib.image import imread

from vaead_core import scorers
from vaead_core.figures.report import Finding, scan_report
from vaead_core.figures.scan import ShownMap, panels_png
from vaead_core.pipeline import scoring
from vaead_core.pipeline.limits.measuring import ThresholdedMap, detection_limits
from vaead_core.scans.volume import Volume


def picture(content: bytes) -> np.ndarray:
    return imread(io.BytesIO(content))[..., :3]


@pytest.fixture(scope="module")
def opened(brain_volume, tiny_checkpoint):
    """A prepared scan whose file name is a patient's, and its findings by two methods."""
    prepared = scoring.prepare(replace(brain_volume, name="Jane_Doe_1970.nii.gz"), tiny_checkpoint)
    findings = []
    for name in ("residual", "voxel_atlas"):
        result = scoring.score(prepared, tiny_checkpoint, name)
        native, kind = scoring.native_map(prepared, tiny_checkpoint, result.maps), scorers.SCORERS[name]
        shown = ShownMap(kind.title, kind.unit, scorers.abnormality(name, native), result.thresholds[0.05], 3.0)
        findings.append(Finding(result, shown))
    return prepared, findings


def test_the_patients_right_is_on_the_left_of_a_picture(brain_volume):
    marked = np.zeros(brain_volume.data.shape, np.float32)
    i, j, k = np.argwhere(brain_volume.data > 0).max(0)[0] - 12, 60, 40
    marked[i - 4 : i, j - 4 : j, k] = 1
    shown = ShownMap("Marked", "", marked, 0.5, 2.0)
    pixels = picture(panels_png(brain_volume, [shown], [k]))
    half = pixels[: int(0.85 * len(pixels)), pixels.shape[1] // 2 :]  # the map's panel without its colour bar
    coloured = np.argwhere(np.ptp(half, axis=2) > 0.3)
    assert len(coloured)
    assert coloured[:, 1].mean() < half.shape[1] / 2


def test_a_map_is_drawn_only_above_its_threshold(brain_volume):
    values = brain_volume.data / brain_volume.data.max()
    none = picture(panels_png(brain_volume, [ShownMap("M", "", values, 2.0, 3.0)], [40]))
    panel = none[: int(0.85 * len(none)), none.shape[1] // 2 :]
    assert np.ptp(panel, axis=2).max() < 0.02


def on_background(scan: Volume, background: float) -> Volume:
    """The scan with all its values moved, so that `background` lies around its brain."""
    return Volume(scan.data + np.float32(background), scan.affine, scan.name)


def whole(scan: Volume) -> Volume:
    """The scan with whole numbers, which a shift leaves exact."""
    return Volume(np.round(scan.data * (1000 / scan.data.max())), scan.affine, scan.name)


@pytest.mark.parametrize("background", [-1, 500])
def test_a_scan_on_another_background_has_the_same_picture(brain_volume, background):
    scan = whole(brain_volume)
    shown = [ShownMap("M", "", scan.data, 900, 1000)]
    assert panels_png(on_background(scan, background), shown, [40]) == panels_png(scan, shown, [40])


def test_a_brain_of_mean_0_has_the_picture_of_one_whose_darkest_is_just_above_0(brain_volume):
    """Its window begins at its darkest, and not among its values above 0, which are half of them."""
    scan = whole(brain_volume)
    mean = np.float32(np.round(scan.data[scan.mask].mean()))
    scaled = Volume(np.where(scan.mask, scan.data - mean, 0), scan.affine)
    one, other = (picture(panels_png(held, [], [40])).mean(2) for held in (scaled, scan))
    assert one.shape == other.shape, "cropped alike"
    assert np.abs(one - other).mean() < 0.02
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.99


def test_a_reports_pictures_are_those_of_the_same_brain_on_another_background(opened, tiny_checkpoint):
    prepared, findings = opened
    scan = whole(prepared.brain.scan)
    pages = [
        scan_report(replace(prepared, brain=replace(prepared.brain, scan=one)), tiny_checkpoint, findings)
        for one in (scan, on_background(scan, -1))
    ]
    one, other = (re.search("data:image/png;base64,[^']*", page).group() for page in pages)
    assert one == other


@pytest.mark.shows(22)
def test_a_report_opens_offline_and_names_everything_that_made_it(opened, tiny_checkpoint):
    prepared, findings = opened
    page = scan_report(prepared, tiny_checkpoint, findings)
    assert not re.search(r"(src|href)\s*=\s*['\"]?(https?:|//)", page)
    assert "data:image/png;base64," in page
    assert "Research use only, not for diagnosis." in page
    assert tiny_checkpoint.digest in page
    for one in findings:
        assert hashlib.sha256(one.shown.values.astype("<f4").tobytes()).hexdigest() in page
        assert f"{one.shown.threshold:.4g}" in page
        assert f"{one.result.scan_percentiles['top10']:.0f}" in page


def test_a_report_does_not_hold_the_files_name(opened, tiny_checkpoint):
    prepared, findings = opened
    assert "Jane" not in scan_report(prepared, tiny_checkpoint, findings)


def test_a_report_has_the_detection_limits_that_were_measured(opened, tiny_checkpoint):
    prepared, findings = opened
    one = ThresholdedMap.at(findings[1].result, 0.05)
    (limits,) = detection_limits(prepared, tiny_checkpoint, [one], lambda _: None, repeats=1)
    assert "What would be missed" not in scan_report(prepared, tiny_checkpoint, findings)
    page = scan_report(prepared, tiny_checkpoint, findings, limits=[limits])
    assert page.count("data:image/png;base64,") == 2
    assert escape(limits.sentence()) in page
    for cell in limits.cells:
        said = f"{cell.found} of {cell.count}, {100 * cell.low:.0f} to {100 * cell.high:.0f} %"
        assert (said if cell.count else "none painted") in page
    assert f"{limits.false_components} part" in page
