"""What the viewer is sent: its script, and volumes that lose nothing that is seen."""

import gzip
import re

import numpy as np
import pytest

from pages.shared.viewer import Layer, assets, viewer
from pages.shared.viewer.toys import act_of


def test_every_script_module_is_sent_after_those_it_imports():
    modules = {path.stem: path.read_text() for path in (assets.FOLDER / "js").glob("*.js")}
    assert set(assets.MODULES) == set(modules)
    for place, name in enumerate(assets.MODULES):
        for names, source in re.findall(r'^import \{([^}]+)\} from "\./(\w+)\.js";$', modules[name], re.MULTILINE):
            assert source in assets.MODULES[:place]
            for wanted in names.split(","):
                assert re.search(rf"^export (function|class|const) {wanted.strip()}\b", modules[source], re.MULTILINE), wanted
    assert "import " not in re.sub(r"//.*", "", assets.script())


def test_zero_and_whole_numbers_are_sent_exactly_and_others_to_half_a_step():
    rng = np.random.default_rng(0)
    whole = rng.integers(-900, 4096, (3, 4, 5))
    sent = Layer.of(whole, "whole")
    back = np.frombuffer(gzip.decompress(sent.payload), "<i2").reshape(5, 4, 3).T * sent.step
    np.testing.assert_array_equal(back, whole)
    values = rng.normal(0, 3, (3, 4, 5)) * (rng.random((3, 4, 5)) > 0.3)
    sent = Layer.of(values, "values")
    back = np.frombuffer(gzip.decompress(sent.payload), "<i2").reshape(5, 4, 3).T * sent.step
    assert np.abs(back - values).max() <= np.abs(values).max() / 65534 * (1 + 1e-9)
    np.testing.assert_array_equal(back[values == 0], 0)
    assert sent.peak == tuple(np.unravel_index(np.abs(values).argmax(), values.shape))


def test_one_voxel_changes_the_digest():
    values = np.zeros((90, 90, 90), np.float32)
    other = values.copy()
    other[45, 45, 45] = 1
    assert Layer.of(values, "a").digest != Layer.of(other, "a").digest


def test_what_the_viewer_cannot_show_is_refused():
    layer = Layer.of(np.ones((3, 4, 5)), "a")
    with pytest.raises(ValueError, match="at most 4 maps, got 5"):
        viewer(layer, [layer] * 5, np.eye(4), key="refused")
    with pytest.raises(ValueError, match="the scan's shape"):
        viewer(layer, [Layer.of(np.ones((4, 4, 5)), "b")], np.eye(4), key="refused")
    with pytest.raises(ValueError, match="RAS"):
        viewer(layer, [layer], np.diag([-1, 1, 1, 1]), key="refused")
    with pytest.raises(ValueError, match="3-D and finite"):
        Layer.of(np.full((2, 2, 2), np.nan), "nan")


@pytest.mark.parametrize(
    "sent",
    [
        {"number": 1, "name": "draw", "path": [[50, 60, 40], [10**9, 60, 40]]},
        {"number": 1, "name": "draw", "path": [[50, 60, -1]]},
        {"number": 1, "name": "draw", "path": [[1, 2, 3]] * 401},
        {"number": 1, "name": "draw", "path": []},
        {"number": 1, "name": "plant", "voxel": [1, 2, 3], "path": [[1, 2, 3]]},
        {"number": 1, "name": "plant", "voxel": [1, 2, 10**6]},
    ],
)
def test_voxels_that_no_grid_has_and_endless_paths_are_no_act(sent):
    assert act_of(sent) is None
    assert act_of({"number": 1, "name": "draw", "path": [[1, 2, 3], [4, 2, 3]]}).path == ((1, 2, 3), (4, 2, 3))
