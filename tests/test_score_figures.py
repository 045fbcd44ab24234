import numpy as np
import pytest

from vaead_core.figures.scores import histogram_figure, strip_figure


def test_a_strip_has_a_line_a_method_and_marks_the_slice_that_is_shown():
    figure = strip_figure({"Residual": np.array([10.0, 99.0, 50.0])}, np.array([30, 31, 32]), here=1)
    [line] = figure["data"]
    assert (line["x"], line["y"], line["customdata"]) == ([30, 31, 32], [10, 99, 50], [0, 1, 2])
    assert figure["layout"]["shapes"][0]["x0"] == 31


@pytest.mark.parametrize("threshold", [0.5, 7.0])
def test_every_voxel_and_the_threshold_lie_within_a_histogram(threshold):
    rng = np.random.default_rng(0)
    values, healthy = rng.normal(0, 1, 5000), np.quantile(rng.normal(0, 1, 5000), np.linspace(0, 1, 1001))
    bars, line = histogram_figure(values, healthy, threshold, "deviations")["data"]
    assert sum(bars["y"]) == pytest.approx(100)
    assert sum(line["y"]) == pytest.approx(100)
    assert bars["x"][-1] + bars["width"] / 2 >= threshold


def test_with_a_truth_normal_and_anomalous_voxels_have_bars_of_their_own():
    values, truth = np.array([0.0, 0.1, 5.0, 6.0]), np.array([False, False, True, True])
    normal, anomalous, _ = histogram_figure(values, np.linspace(0, 1, 11), 1.0, "deviations", truth)["data"]
    assert sum(y for x, y in zip(normal["x"], normal["y"], strict=True) if x < 1) == pytest.approx(100)
    assert sum(y for x, y in zip(anomalous["x"], anomalous["y"], strict=True) if x > 4) == pytest.approx(100)
