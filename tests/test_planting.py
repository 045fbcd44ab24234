import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import average_precision_score

from vaead_core import scorers
from vaead_core.anomalies import lesions, toys
from vaead_core.anomalies.lesions.outlines import tissues
from vaead_core.anomalies.toys.settings import settings_of
from vaead_core.errors import InputError
from vaead_core.measures.precision_recall import precision_recall
from vaead_core.pipeline import planting, scoring
from vaead_core.pipeline.planting import Planting
from vaead_core.scans import atlas

CENTRE = (72, 60, 40)
CIRCLE = (("radius_mm", 8.0), ("intensity", 0.9), ("length_mm", 2.0))


@pytest.fixture(scope="module")
def prepared(brain_volume, tiny_checkpoint) -> scoring.PreparedScan:
    return scoring.prepare(brain_volume, tiny_checkpoint)


@pytest.fixture(scope="module")
def preprocessor(tiny_checkpoint):
    return tiny_checkpoint.preprocessor


def test_a_voxel_and_its_pixel_name_each_other(prepared, preprocessor):
    image, row, column = preprocessor.slice_grid.pixel_at(CENTRE, prepared.slices)
    assert preprocessor.slice_grid.voxel_at((image, row, column), prepared.slices) == CENTRE
    marked = np.zeros_like(prepared.slices.pixels)
    marked[image, row, column] = 1
    assert np.argwhere(preprocessor.slice_grid.to_volume(marked, prepared.slices)).tolist() == [list(CENTRE)]


def test_a_toy_lies_about_its_centre(prepared, preprocessor):
    case = planting.plant(Planting("circle", CIRCLE, CENTRE), prepared.slices, preprocessor, prepared.brain)
    voxels = np.argwhere(preprocessor.slice_grid.to_volume(case.truth, prepared.slices))
    assert voxels.mean(0).tolist() == list(CENTRE)
    assert np.linalg.norm(voxels - CENTRE, axis=1).max() * 2 <= 8


@pytest.mark.parametrize("name", sorted(toys.TOYS))
def test_every_toy_can_be_planted_at_a_centre(name, prepared, preprocessor):
    case = planting.plant(Planting(name, (), CENTRE), prepared.slices, preprocessor, prepared.brain)
    assert preprocessor.slice_grid.to_volume(case.truth, prepared.slices)[CENTRE]


@pytest.mark.parametrize("centre", [(2, 2, 40), (72, 60, 0), (72, 60, 500), (-5, 60, 40)])
def test_a_centre_outside_the_brain_is_refused(centre, prepared, preprocessor):
    with pytest.raises(InputError, match="must lie in the brain"):
        planting.plant(Planting("circle", CIRCLE, centre), prepared.slices, preprocessor, prepared.brain)


@pytest.mark.parametrize("name", sorted(lesions.LESIONS))
def test_every_painted_lesion_can_be_planted_in_its_tissue_and_nowhere_else(name, prepared, preprocessor):
    about = prepared.slices, preprocessor, prepared.brain
    settings = tuple((one.name, 8.0 if one.name == "radius_mm" else one.default) for one in planting.offered(name, 2))
    clean = planting.unplanted(prepared.slices)
    centre = planting.random_centre(Planting(name, settings, CENTRE), clean, *about[1:], np.random.default_rng(0))
    case = planting.plant(Planting(name, settings, centre, 3), *about)
    voxels = np.argwhere(preprocessor.slice_grid.to_volume(case.truth, prepared.slices))
    assert len(voxels)
    assert np.linalg.norm(voxels - centre, axis=1).max() * 2 <= 8 * 2.2
    changed = case.slices.pixels != prepared.slices.pixels
    assert (changed & case.truth == case.truth).all()
    assert not (changed & ~prepared.slices.mask).any(), "what is about the brain stays as it was"
    if name != "mass":
        assert (prepared.slices.pixels > case.slices.pixels)[case.truth].all(), "by default all are darker"
    with pytest.raises(InputError, match="must lie in the brain"):
        planting.plant(Planting(name, settings, (2, 2, 40)), *about)


def test_a_painted_lesion_is_what_the_experiments_paint(prepared, preprocessor):
    """Cut out or not, alone in the brain."""
    settings = (("radius_mm", 9.0), ("change_percent", -30.0))
    about = prepared.slices, preprocessor, prepared.brain
    clean = planting.unplanted(prepared.slices)
    centre = planting.random_centre(Planting("cortical", settings, CENTRE), clean, *about[1:], np.random.default_rng(1))
    case = planting.plant(Planting("cortical", settings, centre, 5), *about)
    inside = preprocessor.slice_grid.to_volume(case.truth, prepared.slices) > 0
    before, after = (preprocessor.slice_grid.to_volume(one.pixels, prepared.slices) for one in (prepared.slices, case.slices))
    core = ndimage.binary_erosion(inside, iterations=2)
    own = prepared.brain.scale.to_own
    unclipped = core & (np.abs(after) < 1) & (np.abs(before) < 1)
    assert np.isclose(own(after[unclipped]), 0.7 * own(before[unclipped]), rtol=0.01).mean() > 0.98, "all but a few on its edge"
    labels = tissues(2)
    assert np.isin(labels[inside], (atlas.GREY, atlas.WHITE)).all()


def test_a_click_where_its_tissue_is_not_is_one_sentence(prepared, preprocessor):
    labels = tissues(2)
    far = ndimage.distance_transform_edt(labels != atlas.WHITE) * prepared.brain.mask
    centre = tuple(int(at) for at in np.unravel_index(far.argmax(), far.shape))
    spot = Planting("white_matter", (("radius_mm", 2.0), ("change_percent", -20.0)), centre)
    with pytest.raises(InputError, match="White-matter spot: there is no white matter here"):
        planting.plant(spot, prepared.slices, preprocessor, prepared.brain)


def test_a_toy_and_a_lesion_lie_in_one_scan_with_the_truth_of_both(prepared, preprocessor):
    clean = planting.unplanted(prepared.slices)
    mass = Planting("mass", (("radius_mm", 10.0), ("change_percent", -20.0)), CENTRE, 1)
    toy = Planting("circle", CIRCLE, (50, 70, 40), 2)
    one = planting.plant_another(clean, mass, preprocessor, prepared.brain)
    two = planting.plant_another(one, toy, preprocessor, prepared.brain)
    alone = planting.plant(toy, prepared.slices, preprocessor, prepared.brain)
    np.testing.assert_array_equal(two.truth, one.truth | alone.truth)
    assert (one.slices.pixels != prepared.slices.pixels).sum() > one.truth.sum(), "a mass pushes tissue aside, which is no lesion"


def test_the_truth_of_two_toys_is_where_pixels_differ_from_the_clean_scan(prepared, preprocessor):
    clean = prepared.slices
    one = planting.plant_another(planting.unplanted(clean), Planting("circle", CIRCLE, CENTRE), preprocessor, prepared.brain)
    two = planting.plant_another(one, Planting("random_shape", (), (50, 70, 42), 3), preprocessor, prepared.brain)
    np.testing.assert_array_equal(two.truth, two.slices.pixels != clean.pixels)
    assert (two.truth & one.truth).sum() == one.truth.sum() < two.truth.sum()


def test_a_seed_keeps_a_random_outline(prepared, preprocessor):
    first, again, other = (
        planting.plant(Planting("random_shape", (), CENTRE, seed), prepared.slices, preprocessor, prepared.brain).truth
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("name", sorted(set(scorers.map_scorers()) - {"patch_error"}))
def test_spliced_maps_are_those_of_the_whole_scan(name, prepared, preprocessor, tiny_checkpoint):
    clean, scorer = prepared.slices, scorers.build(name)
    case = planting.plant(Planting("circle", (*CIRCLE[:2], ("length_mm", 10.0)), CENTRE), clean, preprocessor, prepared.brain)
    before = scorer.score_map(tiny_checkpoint.model, clean)
    kept = before.copy()
    spliced = planting.rescored(before, name, tiny_checkpoint.model, clean, case.slices)
    np.testing.assert_allclose(spliced, scorer.score_map(tiny_checkpoint.model, case.slices), atol=2e-4, rtol=1e-4)
    np.testing.assert_array_equal(spliced[~case.planted], before[~case.planted])
    assert (spliced[case.planted] != before[case.planted]).any(axis=(1, 2)).all()
    np.testing.assert_array_equal(before, kept)


def test_a_random_centre_has_room_about_it(prepared, preprocessor):
    for seed in range(8):
        disc = (("radius_mm", 13.0), ("intensity", 0.97), ("length_mm", 30.0))
        about = planting.unplanted(prepared.slices), preprocessor, prepared.brain
        centre = planting.random_centre(Planting("circle", disc, CENTRE), *about, np.random.default_rng(seed))
        case = planting.plant(Planting("circle", disc, centre), prepared.slices, preprocessor, prepared.brain)
        assert len(set(case.truth[case.planted].sum((1, 2)))) == 1, "cut by the brain's edge on some slice"


@pytest.mark.parametrize("kind", ["circle", "mass"])
def test_random_centres_keep_off_what_is_planted(kind, prepared, preprocessor):
    about, case = (preprocessor, prepared.brain), planting.unplanted(prepared.slices)
    settings = CIRCLE if kind == "circle" else tuple((one.name, one.default) for one in planting.offered(kind, 2))
    for seed in range(6):
        centre = planting.random_centre(Planting(kind, settings, CENTRE), case, *about, np.random.default_rng(0))
        image, row, column = preprocessor.slice_grid.pixel_at(centre, case.slices)
        assert not case.truth[image, row, column], "the same draws, and yet elsewhere"
        case = planting.plant_another(case, Planting(kind, settings, centre, seed), *about)
        assert case.truth[image, row, column]


def test_a_sweep_holds_the_ap_of_each_value_beside_chance(prepared, tiny_checkpoint, preprocessor):
    radius = settings_of(toys.TOYS["circle"])[0]
    models = {"voxel_atlas": tiny_checkpoint.model}
    found = planting.sweep(Planting("circle", CIRCLE, CENTRE), radius, models, prepared.slices, preprocessor, prepared.brain)
    assert (found.values[0], found.values[-1]) == (5, 40)
    assert (np.diff(found.chance) > 0).all()
    toy = Planting("circle", (("radius_mm", 15.0), *CIRCLE[1:]), CENTRE)
    case = planting.plant(toy, prepared.slices, preprocessor, prepared.brain)
    maps = scorers.build("voxel_atlas").score_map(tiny_checkpoint.model, case.slices)
    alone = precision_recall(scorers.abnormality("voxel_atlas", maps), case.truth, case.slices).detection
    assert found.ap["voxel_atlas"][2] == pytest.approx(alone.ap)
    assert found.chance[2] == pytest.approx(alone.prevalence)


def test_pictures_have_the_scans_own_intensities_and_no_brain_voxel_at_0(prepared, brain_volume):
    shown = planting.to_intensity(prepared.slices, prepared.brain)
    assert (shown[prepared.slices.mask] > 0).all()
    assert not shown[~prepared.slices.mask].any()
    own = brain_volume.data[brain_volume.data > 0]
    assert np.median(shown[prepared.slices.mask]) == pytest.approx(np.median(own), rel=0.05)


def test_a_sweep_ranks_a_map_as_the_experiments_do(prepared, tiny_checkpoint, preprocessor):
    radius = settings_of(toys.TOYS["circle"])[0]
    models = {"normalised_residual": tiny_checkpoint.model}
    found = planting.sweep(Planting("circle", CIRCLE, CENTRE), radius, models, prepared.slices, preprocessor, prepared.brain)
    case = planting.plant(
        Planting("circle", (("radius_mm", 15.0), *CIRCLE[1:]), CENTRE), prepared.slices, preprocessor, prepared.brain
    )
    maps = scorers.build("normalised_residual").score_map(tiny_checkpoint.model, case.slices)
    held = case.slices.mask & case.planted[:, None, None]
    assert (maps[held] < 0).any(), "a place redrawn better than usual is no anomaly"
    assert found.ap["normalised_residual"][2] == pytest.approx(average_precision_score(case.truth[held], maps[held]))
