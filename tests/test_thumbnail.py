"""Small pictures of maps."""

import io

import numpy as np
from PIL import Image

from vaead_core.figures.groups import groups_figure
from vaead_core.figures.thumbnail import SLABS, thumbnail_png


def drawn(values: np.ndarray, spacing=(1.0, 1.0, 1.0)) -> np.ndarray:
    scan = np.where(values != 0, np.linspace(50, 100, values.shape[1])[None, :, None], 0)
    return np.asarray(Image.open(io.BytesIO(thumbnail_png(scan, values, 2.0, 4.0, np.array(spacing)))).convert("RGB")).astype(int)


def coloured(picture: np.ndarray) -> np.ndarray:
    """(rows, columns) of what is not grey."""
    return np.argwhere(np.ptp(picture, axis=2) > 40)


def test_a_lesion_of_one_slice_is_seen_on_its_side_and_in_its_slab():
    values = np.full((80, 80, 50), 0.5, np.float32)
    assert len(coloured(drawn(values))) == 0
    values[60:70, 60:70, 33] = 3  # right, front, in the fourth fifth; it lies in one slice alone
    places = coloured(drawn(values))
    assert len(places) > 20
    rows, columns = places.mean(axis=0)
    assert rows < 40, "front is up"
    assert 3 * 80 < columns < 3 * 80 + 40, "the patient's right is on the left"


def test_slices_have_their_proportions_in_millimetres():
    assert drawn(np.full((40, 80, 10), 0.5, np.float32), (2.0, 1.0, 5.0)).shape == (80, 80 * SLABS, 3)


def test_an_empty_map_and_one_of_fewer_slices_than_slabs_are_drawn():
    assert drawn(np.zeros((8, 8, 8), np.float32)).max() == 0
    assert drawn(np.full((8, 8, 2), 0.5, np.float32)).shape == (80, 160, 3)


def test_everybody_of_two_groups_is_a_point_beside_the_median_and_names_are_text():
    figure = groups_figure({"A": ({"<b>a": 1.0, "b": 3.0}, {"c": 5.0})}, ("<i>x", "y"))
    assert [one["y"] for one in figure["data"]] == [[1.0, 3.0], [2.0, 2.0], [5.0], [5.0, 5.0]]
    assert figure["data"][0]["text"][0] == "&lt;b&gt;a"
    assert figure["layout"]["xaxis"]["ticktext"] == ["&lt;i&gt;x", "y"]
