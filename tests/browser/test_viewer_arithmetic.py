"""The viewer's arithmetic, asked in its own language and judged by NumPy and nibabel; no page of the app, no pixels."""

import json

import nibabel as nib
import numpy as np
import pytest
from plotly.colors import sample_colorscale
from scipy import ndimage

from pages.shared.viewer import COLOURS, assets
from vaead_core.figures.rarity import TOP_RARITY
from vaead_core.measures.components import labelled_clusters

CODES = 65536
ZERO = CODES // 2
CURVE = (0.0, 0.5, 0.8, 1.5, 2.0, 4.0)  # own values at rarities from 0 to TOP_RARITY
PREPARED = """
const volume = ({ codes, shape, ...record }) => record.codes ?? new Volume({ digest: String(Math.random()), name: "", unit: "",
  signed: false, rarity: [], step: 1, ...record }, Int16Array.from(codes), shape ?? [codes.length, 1, 1]);
const FEW = { rarity: { threshold: 1, top: 3 }, colours: { Inferno: [[0, 0, 0], [1, 1, 1]] } };
const shadesOf = (layers, changes) => new Shades(FEW,
  { scan: volume({ codes: layers[0].codes.map(() => 7) }), truth: null, layers: layers.map(volume) },
  { ...FIRST, high: {}, thresholds: {}, ...changes });
const rgb = (colour) => [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255];
"""


@pytest.fixture(scope="module")
def js(browser):
    """Asks for an expression's value, with names given as data."""
    tab = browser.new_page()
    tab.add_script_tag(content=assets.script().replace("export default", "const unused =") + PREPARED)
    yield lambda expression, **given: tab.evaluate(f"({{ {', '.join(given)} }}) => {expression}", json.loads(json.dumps(given)))
    tab.close()


def affine(codes: str, spacing_mm=(1.5, 2.0, 2.5), z: float = 0, x: float = 0) -> np.ndarray:
    axes = nib.orientations.inv_ornt_aff(nib.orientations.axcodes2ornt(codes), (9, 9, 9))[:3, :3]
    turn = nib.eulerangles.euler2mat(z=np.deg2rad(z), x=np.deg2rad(x))
    return nib.affines.from_matvec(turn @ axes @ np.diag(spacing_mm), [5, -12, 30])


# Geometry


@pytest.mark.parametrize("matrix", [affine("RAS"), affine("LAS"), affine("PSR"), affine("RAS", z=20, x=12)])
def test_a_points_millimetres_are_nibabels(js, matrix):
    for point in np.random.default_rng(0).uniform(-50, 50, (5, 3)):
        found = js("transform(matrix, point)", matrix=matrix.tolist(), point=point.tolist())
        np.testing.assert_allclose(found, nib.affines.apply_affine(matrix, point), atol=1e-9)
    np.testing.assert_allclose(js("spacing(matrix)", matrix=matrix.tolist()), nib.affines.voxel_sizes(matrix))


@pytest.mark.parametrize(("z", "x"), [(0, 0), (20, 0), (20, 12), (-8, 3)])
def test_the_obliquity_is_nibabels(js, z, x):
    matrix = affine("RAS", z=z, x=x)
    wanted = np.rad2deg(nib.affines.obliquity(matrix).max())
    assert js("obliquity(matrix)", matrix=matrix.tolist()) == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(
    ("plane", "radiological", "left", "right", "bottom", "top"),
    [
        *[("axial", True, "R", "L", "P", "A"), ("axial", False, "L", "R", "P", "A")],
        *[("coronal", True, "R", "L", "I", "S"), ("coronal", False, "L", "R", "I", "S")],
        *[("sagittal", True, "A", "P", "I", "S"), ("sagittal", False, "A", "P", "I", "S")],
    ],
)
def test_the_letters_say_where_a_point_lies(js, plane, radiological, left, right, bottom, top):
    ask = """(() => { const frame = { x: 0, y: 0, width: 200, height: 100 }, box = { low: [0, 0, 0], high: [9, 9, 9] };
      const shown = { zoom: 1, centre: [5, 5, 5], radiological };
      const view = new Projection(PLANES[plane], frame, { spacing: [1, 1, 1] }, box, shown);
      return { letters: letters(PLANES[plane], radiological), low: view.toScreen(2, 2), high: view.toScreen(7, 7) }; })()"""
    found = js(ask, plane=plane, radiological=radiological)
    assert found["letters"] == {"left": left, "right": right, "top": top, "bottom": bottom}
    assert (found["high"][0] > found["low"][0]) == (right in "RA"), "axes run to the right, to anterior and superior"
    assert found["high"][1] < found["low"][1]


@pytest.mark.parametrize("zoom", [0.5, 1, 3])
@pytest.mark.parametrize("radiological", [True, False])
@pytest.mark.parametrize("spacing_mm", [(1, 1, 1), (1, 1, 5), (1.5, 2, 2.5)])
def test_a_view_keeps_millimetres_square_fits_its_box_and_finds_the_voxel_under_a_pixel(js, zoom, radiological, spacing_mm):
    ask = """(() => { const frame = { x: 10, y: 20, width: 300, height: 400 }, box = { low: [3, 4, 5], high: [40, 50, 20] };
      const view = new Projection(PLANES.coronal, frame, { spacing }, box, { zoom, centre: [21.5, 27, 12.5], radiological });
      const places = [[3, 5], [40, 20], [11.25, 7.5]].map(([u, v]) => view.toScreen(u, v));
      return { places, back: places.map(([x, y]) => view.toVoxels(x, y)) }; })()"""
    found = js(ask, zoom=zoom, radiological=radiological, spacing=list(spacing_mm))
    np.testing.assert_allclose(found["back"], [[3, 5], [40, 20], [11.25, 7.5]], atol=1e-9)
    first, last, _ = np.array(found["places"])
    width, height = np.abs(last - first)
    assert width / (37 * spacing_mm[0]) == pytest.approx(height / (15 * spacing_mm[2])), "as many px to a mm both ways"
    np.testing.assert_allclose((first + last) / 2, [160, 220], atol=1e-9)
    assert max(width / 300, height / 400) < zoom
    assert max(38 * spacing_mm[0] / 300, 16 * spacing_mm[2] / 400) * 1.04 * width / 37 / spacing_mm[0] == pytest.approx(zoom)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize(("width", "height", "aspect"), [(1400, 800, 0.8), (1000, 600, 2.5), (400, 900, 1.1)])
def test_panels_are_about_as_large_as_fits_and_leave_no_hole(js, count, width, height, aspect):
    found = js("panelSizes(count, width, height, aspect)", count=count, width=width, height=height, aspect=aspect)
    sizes = []
    for most in range(1, count + 1):
        columns = -(-count // most)
        rows = -(-count // columns)
        sizes.append(min((width - 6 * (columns - 1)) / columns, ((height - 6 * (rows - 1)) / rows - 115) * aspect))
    assert found["size"] > 0.85 * max(sizes) - 2
    lines, line = [], []
    for one in found["widths"]:
        if sum(line) + 6 * len(line) + one > width:
            lines.append(line)
            line = []
        line.append(one)
    lines.append(line)
    assert all(width - sum(one) - 6 * (len(one) - 1) < len(one) for one in lines), "every row is full"
    used = len(lines) * (found["height"] + 115) + 6 * (len(lines) - 1)
    assert used > height - len(lines), "to the bottom"
    assert used <= height or found["height"] == 150
    assert found["narrowest"] == min(found["widths"])


# Values


def test_the_box_holds_everything_but_zeros(js):
    codes = np.zeros((6, 7, 8), int)
    codes[2:5, 1:4, 6:7] = 3
    found = js("volume(one).box(one.shape)", one={"codes": codes.ravel(order="F").tolist(), "shape": codes.shape})
    assert found == {"low": [2, 1, 6], "high": [4, 3, 6]}
    empty = js("volume(one).box(one.shape)", one={"codes": [0] * 24, "shape": [2, 3, 4]})
    assert empty == {"low": [0, 0, 0], "high": [1, 2, 3]}


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.95, 0.999, 1])
def test_quantiles_are_over_the_voxels_of_the_brain(js, share):
    values = np.random.default_rng(1).integers(-400, 400, 3000)
    inside = np.arange(3000) % 3 > 0
    ask = "quantile(volume({ codes }).countWhere(volume({ codes: inside })), share)"
    found = js(ask, codes=values.tolist(), inside=inside.astype(int).tolist(), share=share)
    assert found == np.quantile(values[inside], share, method="inverted_cdf")
    both = "quantile(withoutSign(volume({ codes }).countWhere(volume({ codes: inside }))), share)"
    found = js(both, codes=values.tolist(), inside=inside.astype(int).tolist(), share=share)
    assert found == np.quantile(np.abs(values[inside]), share, method="inverted_cdf")


@pytest.mark.parametrize("signed", [False, True])
def test_rarity_is_interpolated_between_levels_and_back(js, signed):
    step = 0.01
    values = np.arange(-600, 601, 7) * step
    ask = "(({ table }) => values.map((at) => table[Math.round(at / 0.01) + ZERO]))(new Scale(volume(one), 'rarity', 3))"
    found = js(ask, one={"codes": [0], "step": step, "signed": signed, "rarity": CURVE}, values=values.tolist())
    wanted = np.interp(np.abs(values), CURVE, np.linspace(0, TOP_RARITY, len(CURVE)))
    wanted += np.log10(np.maximum(np.abs(values) / CURVE[-1], 1))  # beyond the last level, where no share is known
    shown = (values >= 0) | signed
    np.testing.assert_allclose(np.array(found)[shown], (np.sign(values) * wanted if signed else wanted)[shown], atol=1e-6)
    for value in (0.2, 0.5, 1.1, 3.9, 40.0):
        rarity = js("rarityOfValue(levels, value, 3)", levels=CURVE, value=value)
        assert rarity == pytest.approx(
            np.interp(value, CURVE, np.linspace(0, TOP_RARITY, len(CURVE))) + max(0, np.log10(value / 4))
        )
        assert js("valueAtRarity(levels, rarity, 3)", levels=CURVE, rarity=rarity) == pytest.approx(value)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("threshold", [0, 0.505, 1.235, 9])
def test_the_share_marked_is_that_of_the_brains_voxels(js, signed, threshold):
    values = np.random.default_rng(2).integers(-200, 200, 999)
    ask = "(() => { const one = volume(record); return shareAbove(new Scale(one, 'own', 3), one.countWhere(one), threshold); })()"
    found = js(ask, record={"codes": values.tolist(), "step": 0.01, "signed": signed}, threshold=threshold)
    inside = values[values != 0] * 0.01
    assert found == pytest.approx(np.mean((np.abs(inside) if signed else inside) > threshold))


def test_a_windows_greys_run_from_black_to_white(js):
    ask = "codes.map((code) => rgb(greyTable(volume({ codes: [0], step: 0.5 }), { low: 10, high: 50 })[code + ZERO]))"
    found = js(ask, codes=[-9, 20, 60, 100, 500])
    assert found == [[0] * 3, [0] * 3, [128] * 3, [255] * 3, [255] * 3]


@pytest.mark.shows(40)
def test_the_histogram_of_the_brain_is_numpys_and_leaves_a_few_far_brighter_voxels_out(js):
    values = np.random.default_rng(3).normal(300, 60, 4000).astype(int)
    values[0] = 9000
    ask = """(() => { const one = volume({ codes, step: 0.5 }), counts = one.countWhere(one);
      const axis = intensityAxis(counts, one.step); return { axis, bins: histogramOf(counts, one.step, axis, 64) }; })()"""
    found = js(ask, codes=values.tolist())
    high = 1.5 * 0.5 * np.quantile(values, 0.99, method="inverted_cdf")
    assert found["axis"] == {"low": 0, "high": high}
    np.testing.assert_array_equal(found["bins"], np.histogram(values * 0.5, 64, (0, high))[0])
    assert js(ask, codes=[-20, 40])["axis"] == {"low": -10, "high": 20}


@pytest.mark.shows(40)
def test_an_end_of_the_window_stays_on_the_axis_and_does_not_pass_the_other(js):
    ask = "withEnd({ low: 20, high: 100 }, end, value, { low: 0, high: 256 })"
    assert js(ask, end="low", value=50) == {"low": 50, "high": 100}
    assert js(ask, end="low", value=-9) == {"low": 0, "high": 100}
    assert js(ask, end="low", value=300) == {"low": 99, "high": 100}
    assert js(ask, end="high", value=3) == {"low": 20, "high": 21}
    assert js(ask, end="high", value=300) == {"low": 20, "high": 256}


# Measures


@pytest.mark.shows(41)
@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_rulers_length_is_that_between_nibabels_millimetres(js, plane):
    matrix = affine("RAS", z=20, x=12)
    matrix[0, 1] += 0.2  # sheared
    axes = {"axial": [0, 1], "coronal": [0, 2], "sagittal": [1, 2]}[plane]
    ends = np.full((2, 3), 7.0)
    ends[:, axes] = [[1.5, 40.25], [31.0, 9.75]]
    found = js("lengthMm(PLANES[plane], matrix, ...ends)", plane=plane, matrix=matrix.tolist(), ends=ends[:, axes].tolist())
    assert found == pytest.approx(np.linalg.norm(np.subtract(*nib.affines.apply_affine(matrix, ends))))
    area = np.linalg.norm(np.cross(*matrix[:3, axes].T))
    assert js("pixelMm2(PLANES[plane], matrix)", plane=plane, matrix=matrix.tolist()) == pytest.approx(area)


@pytest.mark.shows(41)
@pytest.mark.parametrize(
    ("start", "end"), [([3.2, 4.0], [11.7, 9.4]), ([11, 2], [-5, 30]), ([4.6, 5.6], [5.4, 6.4]), ([4.2, 5], [4.4, 6])]
)
def test_a_regions_values_are_those_of_the_voxels_whose_middles_lie_in_its_ellipse(js, start, end):
    shape = (14, 12, 3)
    codes = np.random.default_rng(4).integers(-300, 300, shape)
    ask = """(() => { const one = volume({ ...record, step: 0.25 });
      const found = voxelsIn(ellipseIn(start, end), PLANES.axial, 1, record.shape);
      return { found, told: found.length > 0 ? statistics(found.map((voxel) => one.at(voxel))) : null }; })()"""
    given = {"codes": codes.ravel(order="F").tolist(), "shape": shape}
    found = js(ask, record=given, start=start, end=end)
    middle, half = np.add(start, end) / 2, np.abs(np.subtract(start, end)) / 2
    inside = (((np.moveaxis(np.indices(shape[:2]), 0, -1) - middle) / half) ** 2).sum(-1) <= 1
    assert sorted(map(tuple, found["found"])) == [(i, j, 1) for i, j in np.argwhere(inside).tolist()]
    if not inside.any():
        assert found["told"] is None
        return
    values, told = codes[..., 1][inside] / 4, found["told"]
    assert (told["n"], told["min"], told["max"]) == (len(values), values.min(), values.max())
    assert told["mean"] == pytest.approx(values.mean())
    assert told["sd"] == (None if len(values) == 1 else pytest.approx(values.std(ddof=1)))


# Colours and thresholds


def test_sequential_colours_pass_through_their_stops(js):
    for name in COLOURS:
        stops = sample_colorscale(name, [0.15, 0.4, 0.7, 1.0], colortype="tuple")
        places = np.linspace(0, 511, len(stops))
        found = js("Array.from(ramp(stops), rgb)", stops=np.asarray(stops).tolist())
        wanted = np.stack([np.interp(np.arange(512), places, 255 * np.asarray(stops)[:, channel]) for channel in range(3)], 1)
        assert np.abs(np.array(found) - wanted).max() <= 0.5 + 1e-9


@pytest.mark.shows(7)
def test_zero_is_the_middle_colour_of_a_signed_map(js):
    colour = lambda value: js("rgb(colourOf(divergingRamp, value, 2, true))", value=value)  # noqa: E731
    assert max(colour(0)) < 30, "dark at zero"
    assert np.array(colour(-1.7))[2] > colour(-1.7)[0] + 40, "blue below"
    assert np.array(colour(1.7))[0] > colour(1.7)[2] + 40, "orange above"
    assert colour(-9) == colour(-2)
    assert colour(9) == colour(2)
    ask = """codes.map((code) => mapTable(new Scale(volume({ codes: [0], step: 0.01, signed: true }), 'own', 3),
                                  divergingRamp, 1, 2)[code + ZERO] !== CLEAR)"""
    shown = js(ask, codes=[-150, -50, 0, 50, 150])
    assert shown == [True, False, False, False, True], "below the threshold nothing is coloured, on either side"


def test_hits_false_alarms_and_misses_have_a_colour_each(js):
    ask = """(() => { const { inside, outside } = agreementTables(new Scale(volume({ codes: [0] }), 'own', 3), 5);
      return [inside[6 + ZERO] === HIT, inside[5 + ZERO] === MISSED, outside[6 + ZERO] === FALSE_ALARM,
              outside[5 + ZERO] === CLEAR, new Set([HIT, MISSED, FALSE_ALARM, CLEAR]).size]; })()"""
    assert js(ask) == [True, True, True, True, 4]


LAYERS = [
    {"codes": list(range(100)), "name": "one", "unit": "units"},
    {"codes": list(range(0, 400, 4)), "name": "two", "unit": "units"},
]
OTHER = {"codes": list(range(100)), "name": "three", "unit": "z", "step": 0.05, "rarity": CURVE}


@pytest.mark.shows(8)
def test_maps_of_one_unit_share_range_and_threshold_until_unlocked(js):
    ask = "(({ shades }) => [0, 1, 2].map((at) => { const { high, threshold } = shades.of(at); return [high, threshold]; }))"
    ask += "({ shades: shadesOf(layers, changes) })"
    one, two, three = js(ask, layers=[*LAYERS, OTHER], changes={})
    assert one == two == [396, 94], "the highest end of all, the first one's 95 %"
    assert three == [TOP_RARITY, 1]
    changed = {"high": {"units": 6}, "thresholds": {"units": 2.5}}
    assert js(ask, layers=[*LAYERS, OTHER], changes=changed) == [[6, 2.5], [6, 2.5], three]
    one, two, _ = js(ask, layers=[*LAYERS, OTHER], changes={"locked": False})
    assert (one, two) == ([99, 94], [396, 376])
    one, two, _ = js(ask, layers=[*LAYERS, OTHER], changes={"locked": False, "high": {"units\ntwo": 6}})
    assert one == [99, 94]
    assert two == [6, 6], "no threshold lies beyond the colours"


def test_a_threshold_keeps_its_own_value_on_either_scale(js):
    ask = "(({ shades }) => [shades.ownThreshold(0), shades.toShown(0, 1.2)])({ shades: shadesOf([layer], { scale, ...set }) })"
    own, shown = js(ask, layer=OTHER, scale="rarity", set={"thresholds": {"rarity": 1.8}})
    assert own == pytest.approx(1.5)
    assert shown == pytest.approx(np.interp(1.2, CURVE, np.linspace(0, 3, len(CURVE))))
    own, shown = js(ask, layer=OTHER, scale="own", set={})
    assert own == pytest.approx(np.interp(1, np.linspace(0, 3, len(CURVE)), CURVE)), "the first threshold's rarity, in own values"
    assert shown == 1.2


def test_the_rarity_scale_names_the_healthy_share_and_the_own_value(js):
    ask = """(() => { const shades = shadesOf([layer], { thresholds: { rarity: 1.3 } }), bar = new ColourBar({}, 0);
      bar.draw(shades.of(0).volume, shades.of(0)); return [...bar.note.children].map((line) => line.textContent); })()"""
    above, shares = js(ask, layer=OTHER)
    value = np.interp(1.3, np.linspace(0, TOP_RARITY, len(CURVE)), CURVE)
    assert above == f"Above {value:.4g} z"
    assert shares == f"here {100 * np.mean(np.arange(100) * 0.05 > value):.1f} %, healthy {100 * 10**-1.3:.1f} %"
    above, shares = js(ask.replace("1.3", "3.02"), layer=OTHER)
    assert above == f"Above {4 * 10**0.02:.4g} z"
    assert shares.endswith(", healthy under 0.1 %")


@pytest.mark.shows(46)
def test_maps_fade_by_the_rarity_of_another_from_clear_at_its_threshold_to_full_at_the_rarest(js):
    ask = """(() => { const shades = shadesOf(layers, { fade: "three", locked: false, ...changes });
      const { volume, outside, fade } = shades.map(0), pixels = new Uint32Array(100);
      fill(pixels, volume, { low: [0, 0, 0], high: [99, 0, 0] }, PLANES.axial, 0, false, outside, null, undefined, fade);
      return [...pixels].map((pixel, at) => [pixel >>> 24, rgb(pixel).join() === rgb(outside[at + ZERO]).join()]); })()"""
    changes = {"thresholds": {"rarity\nthree": 1.8, "units\none": 9.5}}
    found, colours = zip(*js(ask, layers=[LAYERS[0], OTHER], changes=changes), strict=True)
    rarity = np.interp(np.arange(100) * 0.05, CURVE, np.linspace(0, TOP_RARITY, len(CURVE)))
    wanted = 255 * np.clip((rarity - 1.8) / (TOP_RARITY - 1.8), 0, 1)
    wanted[:10] = 0  # below its own threshold
    np.testing.assert_allclose(found, wanted, atol=0.51)
    assert all(same for same, alpha in zip(colours, found, strict=True) if alpha), "the colours are those of its own values"
    own = {"scale": "own", "thresholds": {"z\nthree": 1.5, "units\none": 9.5}}
    again, _ = zip(*js(ask, layers=[LAYERS[0], OTHER], changes=own), strict=True)
    assert again == found, "it is the rarity, whatever the colours follow"
    assert js("shadesOf(layers, { fade: 'one' }).map(0).fade", layers=[LAYERS[0], OTHER]) is None, "no healthy voxels are known"
    assert js("shadesOf(layers, {}).map(0).fade", layers=[LAYERS[0], OTHER]) is None


# 3-D


def blobs(shape=(20, 18, 16)) -> np.ndarray:
    """Whole numbers in smooth bumps, 0 at the edges of the array."""
    values = ndimage.gaussian_filter(np.random.default_rng(5).normal(0, 1, shape), 1.2)
    values[[0, -1]] = values[:, [0, -1]] = values[:, :, [0, -1]] = 0
    return np.rint(9000 * values).astype(int)


BLOCKS = """const one = volume(record), box = { low: [0, 0, 0], high: record.shape.map((length) => length - 1) };
  const grid = blockGrid(box, most), { values, places } = highest(grid, box, one);"""


@pytest.mark.shows(42)
@pytest.mark.parametrize("signed", [False, True])
def test_clusters_in_3d_are_those_of_the_table(js, signed):
    codes = blobs()
    ask = f"""(() => {{ {BLOCKS} const {{ count, largest }} = clustersAbove(grid, values, level, 5);
      return {{ count, edge: grid.edge, sizes: largest.map(({{ cells }}) => cells.length),
                peaks: largest.map(({{ peak }}) => places[peak]) }}; }})()"""
    record = {"codes": codes.ravel(order="F").tolist(), "shape": codes.shape, "signed": signed}
    found = js(ask, record=record, most=128, level=1500)
    wanted = np.abs(codes) if signed else codes
    _, clusters, count = labelled_clusters(wanted, 1500, np.eye(4), 5)
    assert (found["edge"], found["count"]) == (1, count)
    assert found["sizes"] == [round(1000 * one.volume_ml) for one in clusters]
    assert len(found["sizes"]) == 5 < count
    peaks = np.stack(np.unravel_index(found["peaks"], codes.shape, order="F"), 1)
    assert [wanted[tuple(at)] for at in peaks] == [one.peak for one in clusters]


@pytest.mark.shows(42)
def test_a_block_has_its_highest_voxel_and_its_share_of_the_brain(js):
    codes = blobs()
    ask = f"""(() => {{ {BLOCKS} const {{ shape, edge }} = grid, share = filled(grid, box, one, []);
      return {{ shape, edge, values: [...values], places: [...places], share: [...share],
                middle: toVoxel(grid, [1, 2, 3]) }}; }})()"""
    found = js(ask, record={"codes": codes.ravel(order="F").tolist(), "shape": codes.shape}, most=10)
    assert (found["edge"], found["shape"], found["middle"]) == (2, [12, 11, 10], [0.5, 2.5, 4.5])
    blocks = np.pad(codes, 2).reshape(12, 2, 11, 2, 10, 2).transpose(0, 2, 4, 1, 3, 5).reshape(12, 11, 10, 8)
    highest = np.maximum(blocks.max(-1), 0)
    np.testing.assert_array_equal(np.reshape(found["values"], highest.shape, order="F"), highest)
    np.testing.assert_array_equal(
        codes.ravel(order="F")[found["places"]][np.array(found["values"]) > 0],
        highest.ravel(order="F")[highest.ravel(order="F") > 0],
    )
    np.testing.assert_allclose(np.reshape(found["share"], highest.shape, order="F"), (blocks != 0).mean(-1))


@pytest.mark.shows(42)
def test_a_balls_surface_is_closed_faces_outward_and_holds_its_volume(js):
    ask = """(() => { const box = { low: [0, 0, 0], high: [22, 22, 22] }, grid = blockGrid(box, 64), values = [], cells = [];
      const [width, height, depth] = grid.shape;
      for (let k = 0; k < depth; k += 1) for (let j = 0; j < height; j += 1) for (let i = 0; i < width; i += 1) {
        values.push(12 - Math.hypot(i - 12, j - 12, k - 12)); if (values.at(-1) > 3) cells.push(values.length - 1); }
      const made = surfaceAround(grid, values, 3, [{ cells }]);
      return [made.points, made.triangles, normalsOf(made), made.owners].map((one) => [...one]); })()"""
    points, triangles, normals, owners = (np.array(one) for one in js(ask))
    points, triangles, normals = points.reshape(-1, 3) - 12, triangles.reshape(-1, 3).astype(int), normals.reshape(-1, 3)
    sides = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), 1)
    assert (np.unique(sides, axis=0, return_counts=True)[1] == 2).all(), "every side of a triangle is that of one other"
    volume = np.linalg.det(points[triangles]).sum() / 6
    assert volume == pytest.approx(4 / 3 * np.pi * 9**3, rel=0.02), "positive: triangles turn outward"
    assert np.abs(np.linalg.norm(points, axis=1) - 9).max() < 0.2
    assert ((normals * points).sum(1) / np.linalg.norm(points, axis=1)).min() > 0.9
    assert set(owners) == {1}


@pytest.mark.shows(42)
def test_the_brain_is_turned_without_a_mirror(js):
    for yaw, pitch in [(0, 0), (35, 20), (200, -60), (90, 90)]:
        axes = np.array(js("directions({ yaw, pitch })", yaw=yaw, pitch=pitch))
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(axes) == pytest.approx(1)
        np.testing.assert_allclose(js("seenAt(directions({ yaw, pitch }), [3, 4, 5])", yaw=yaw, pitch=pitch), axes @ [3, 4, 5])
    face, right, top = (
        np.array(js("directions({ yaw, pitch })", yaw=yaw, pitch=pitch)) for yaw, pitch in [(0, 0), (90, 0), (0, 90)]
    )
    np.testing.assert_allclose(
        face, [[-1, 0, 0], [0, 0, 1], [0, 1, 0]], atol=1e-12, err_msg="seen from before, right is on the left"
    )
    np.testing.assert_allclose(right[2], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(top[2], [0, 0, 1], atol=1e-12)
    assert js("turned({ yaw: 350, pitch: 80 }, 20, 30)") == {"yaw": 10, "pitch": 90}


@pytest.mark.shows(42)
def test_a_click_finds_the_nearest_cluster(js):
    ask = """(() => { const axes = directions({ yaw: 0, pitch: 0 });
      const square = (y) => [[-5, y, -5], [5, y, -5], [5, y, 5], [-5, y, 5]].flat();
      const mesh = { points: Float32Array.from([...square(-2), ...square(3).map((at) => at + (at === 3 ? 0 : 2))]),
        owners: [1, 1, 1, 1, 2, 2, 2, 2], triangles: [0, 1, 2, 0, 2, 3, 4, 5, 6, 4, 6, 7] };
      return [[0, 0], [4.5, -4.5], [9, 9], [-6, 6]].map((place) => ownerAt(mesh, axes, place)); })()"""
    assert js(ask) == [2, 1, 0, 2], "the second is nearer to a reader before the face, and further to the right and up"


# Toys

TOY = {
    "id": 3,
    "centre": [30, 40, 20],
    "size_mm": 10,
    "range_mm": [2, 40],
    "run": {"first": 8, "last": 32, "range_mm": [2, 200]},
}
BALL = TOY | {"run": None}
SPACING = [2, 2, 2]


def test_a_toy_is_a_disc_in_its_slices_and_an_upright_box_across_them(js):
    ask = "outlineOf(toy, PLANES[plane], index, spacing)"
    disc = js(ask, toy=TOY, plane="axial", index=32, spacing=SPACING)
    assert disc == {"isRound": True, "middle": [30, 40], "half": [5, 5]}
    assert js(ask, toy=TOY, plane="axial", index=33, spacing=SPACING) is None
    box = js(ask, toy=TOY, plane="coronal", index=43, spacing=SPACING)
    assert box == {"isRound": False, "middle": [30, 20], "half": [4, 12.5]}, "6 mm beside the middle it is 8 mm wide to each side"
    assert js(ask, toy=TOY, plane="sagittal", index=36, spacing=SPACING) is None


@pytest.mark.parametrize(("radiological", "side"), [(True, -1), (False, 1)])
def test_the_pointer_finds_handles_of_the_chosen_toy_and_the_inside_of_any(js, radiological, side):
    ask = """(() => { const frame = { x: 0, y: 0, width: 400, height: 400 }, box = { low: [0, 0, 0], high: [79, 79, 39] };
      const projection = new Projection(PLANES.axial, frame, { spacing }, box, { zoom: 1, centre: [40, 40, 20], radiological });
      const part = (chosen, u, v) => { const found = partAt({ list: [toy, { ...toy, id: 4 }], chosen }, { projection, index: 20 },
        spacing, projection.toScreen(u, v)); return found && [found.toy.id, found.part]; };
      return [part(3, ...edge), part(null, 31, 40), part(3, 31, 40), part(3, 38, 40), part(3, 30, 46.9)]; })()"""
    found = js(ask, toy=TOY, spacing=SPACING, radiological=radiological, edge=[30 + 5 * side, 40])
    assert found == [[3, "size"], [4, "body"], [3, "body"], None, None]


def test_a_pulled_handle_asks_for_its_distance_in_mm_and_no_more_than_there_is(js):
    ask = "pulledMm(toy, part, PLANES[plane], index, point, spacing)"
    assert js(ask, toy=TOY, part="size", plane="axial", index=20, point=[33, 44], spacing=SPACING) == 10
    assert js(ask, toy=TOY, part="size", plane="coronal", index=43, point=[34, 20], spacing=SPACING) == 10
    assert js(ask, toy=TOY, part="length", plane="coronal", index=40, point=[30, 28], spacing=SPACING) == 32
    assert js("resized(toy, 'size', 99, spacing).size_mm", toy=TOY, spacing=SPACING) == 40
    longer = js("resized(toy, 'length', 8, spacing)", toy=TOY, spacing=SPACING)
    assert (longer["run"]["first"], longer["run"]["last"]) == (18, 21)


def test_a_ball_is_a_disc_in_every_plane_and_is_pulled_by_its_radius_alone(js):
    ask = "outlineOf(toy, PLANES[plane], index, spacing)"
    for plane, index, middle in (("axial", 23, [30, 40]), ("coronal", 43, [30, 20]), ("sagittal", 27, [40, 20])):
        assert js(ask, toy=BALL, plane=plane, index=index, spacing=SPACING) == {"isRound": True, "middle": middle, "half": [4, 4]}
    assert js(ask, toy=BALL, plane="axial", index=26, spacing=SPACING) is None
    pulled = "pulledMm(toy, 'size', PLANES.axial, index, point, spacing)"
    assert js(pulled, toy=BALL, index=20, point=[33, 44], spacing=SPACING) == 10
    assert js(pulled, toy=BALL, index=26, point=[30, 44], spacing=SPACING) == pytest.approx(np.hypot(8, 12))
    drawn = BALL | {"path": [[0, 0, 0], [0, 10, 0], [0, 20, 0]]}
    assert js("outlineOf(toy, PLANES.coronal, 61, spacing)", toy=drawn, spacing=SPACING)["middle"] == [30, 20]
    assert js("pulledMm(toy, 'size', PLANES.coronal, 60, [34, 20], spacing)", toy=drawn, spacing=SPACING) == 8, (
        "its nearest voxel"
    )
    assert js("resized(toy, 'size', 14, spacing)", toy=BALL, spacing=SPACING) == BALL | {"size_mm": 14}
    assert js("movedTo(toy, [1, 2, 3])", toy=BALL, spacing=SPACING) == BALL | {"centre": [1, 2, 3]}


def test_acts_that_are_not_answered_show_at_once(js):
    acts = [
        {"name": "move", "id": 3, "voxel": [31, 41, 22]}, {"name": "plant", "voxel": [1, 2, 3]},
        {"name": "choose", "id": 4}, {"name": "delete", "id": 4}, {"name": "size", "id": 3, "mm": 14},
    ]  # fmt: skip
    ask = "afterActs({ list: [toy, { ...toy, id: 4 }], chosen: null, nextMm: 8 }, acts, spacing)"
    after = js(ask, toy=TOY, acts=acts, spacing=SPACING)
    assert after["planted"] == [{"voxel": [1, 2, 3], "mm": 8}]
    [left] = after["list"]
    assert (left["centre"], left["run"]["first"], left["run"]["last"], left["size_mm"]) == ([31, 41, 22], 10, 34, 14)
    assert after["chosen"] == 3
