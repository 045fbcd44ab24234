import numpy as np
import pytest
from scipy import ndimage

from vaead_core.anomalies import toys
from vaead_core.anomalies.toys.circle import Circle
from vaead_core.anomalies.toys.datasets import DATASETS, plant
from vaead_core.anomalies.toys.placing import place_at, random_place
from vaead_core.anomalies.toys.random_shape import MultipleShapes, RandomShape
from vaead_core.anomalies.toys.tumour import Tumour
from vaead_core.errors import InputError
from vaead_core.scans.volume import Slices

SPACING_MM = 2.0


def ellipsoid(spacing_mm: float = SPACING_MM) -> Slices:
    """A brain-like ellipsoid of 140 × 110 × 100 mm with noise inside, -1 outside."""
    depth, height, width = (int(length / spacing_mm) for length in (100, 180, 180))
    k, j, i = np.ogrid[:depth, :height, :width]
    centre = [(length - 1) / 2 for length in (depth, height, width)]
    parts = [(axis - c) * spacing_mm / r for axis, c, r in zip((k, j, i), centre, (50, 70, 55), strict=True)]
    mask = sum(part**2 for part in parts) < 1
    pixels = np.random.default_rng(0).uniform(-0.9, 0.9, mask.shape).astype(np.float32)
    return Slices(np.where(mask, pixels, -1).astype(np.float32), mask, np.arange(depth))


@pytest.fixture(scope="module")
def brain() -> Slices:
    return ellipsoid()


def planted(toy, brain, seed=0, place=None):
    return toy.plant(brain, SPACING_MM, np.random.default_rng(seed), place)


@pytest.mark.parametrize("name", sorted(toys.TOYS))
def test_truth_is_exactly_where_brain_pixels_changed(name, brain):
    before = brain.pixels.copy()
    case = planted(toys.build(name), brain)
    np.testing.assert_array_equal(case.truth, case.slices.pixels != before)
    assert case.truth.any()
    assert not (case.truth & ~brain.mask).any()
    np.testing.assert_array_equal(brain.pixels, before)
    assert np.abs(case.slices.pixels).max() <= 1
    assert case.slices.pixels.dtype == np.float32


@pytest.mark.parametrize("name", sorted(toys.TOYS))
def test_the_same_seed_gives_the_same_toy_and_another_seed_another(name, brain):
    first, again, other = (planted(toys.build(name), brain, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.slices.pixels, again.slices.pixels)
    assert (first.truth != other.truth).any()


@pytest.mark.parametrize("name", sorted(toys.TOYS))
def test_a_toy_keeps_its_place_over_50_mm_of_slices(name, brain):
    case = planted(toys.build(name), brain)
    images = np.flatnonzero(case.planted)
    assert len(images) == 25
    assert images[-1] - images[0] == 24
    shapes = case.truth[images]
    assert (shapes.all(0) == shapes.any(0)).mean() > 0.999


@pytest.mark.parametrize("name", sorted(toys.TOYS))
def test_every_toy_says_what_it_is(name):
    assert len(toys.help_text(name)) > 30
    assert toys.TOYS[name].title


@pytest.mark.parametrize("size_mm", [5.0, 10.0, 20.0])
@pytest.mark.parametrize("kind", [Circle, RandomShape])
def test_a_shape_has_the_area_of_its_disc_at_1_and_2_mm(kind, size_mm):
    for spacing_mm in (1.0, 2.0):
        toy = kind(size_mm, intensity=0.95)
        area = []
        for seed in range(6):
            case = toy.plant(ellipsoid(spacing_mm), spacing_mm, np.random.default_rng(seed))
            area.append(case.truth[case.planted].sum((1, 2)).mean() * spacing_mm**2)
        assert np.mean(area) == pytest.approx(np.pi * size_mm**2, rel=0.1 if size_mm > 5 else 0.2)


def test_a_random_outline_is_no_ellipse(brain):
    """Its convex hull is larger than itself, and its second moments do not describe it."""
    case = planted(RandomShape(20.0, irregularity=0.6), brain, seed=5)
    shape = case.truth[case.planted][0]
    rows, columns = np.nonzero(shape)
    points = np.stack([rows, columns], 1) - [rows.mean(), columns.mean()]
    mahalanobis = np.einsum("ni,ij,nj->n", points, np.linalg.inv(np.cov(points.T)), points)
    assert (mahalanobis > 4).mean() > 0.02, "a uniform ellipse lies wholly within 4"


def test_a_tumour_is_dark_within_and_bright_around(brain):
    case = planted(Tumour(), brain)
    image = np.flatnonzero(case.planted)[3]
    shape, pixels = case.truth[image], case.slices.pixels[image]
    depth_mm = ndimage.distance_transform_edt(shape) * SPACING_MM
    assert pixels[depth_mm > 10].mean() < -0.8
    assert pixels[(depth_mm > 3) & (depth_mm < 5)].mean() > 0.4


def test_multiple_shapes_hold_dark_and_bright_apart(brain):
    case = planted(MultipleShapes((10.0, 10.0, 5.0), (-1.0, 1.0, 1.0)), brain)
    image = np.flatnonzero(case.planted)[0]
    changed = case.slices.pixels[image][case.truth[image]]
    assert set(np.unique(changed)) == {-1.0, 1.0}
    assert ndimage.label(case.truth[image] & (case.slices.pixels[image] == 1))[1] == 2


def test_a_click_sets_the_centre(brain):
    place = place_at(brain, 25, 45, 50, 50.0, SPACING_MM)
    case = planted(Circle(6.0, intensity=1.0), brain, place=place)
    rows, columns = np.nonzero(case.truth[25])
    assert (rows.mean(), columns.mean()) == (45, 50)
    assert case.planted.sum() == 25


def test_a_click_outside_the_brain_is_refused(brain):
    with pytest.raises(InputError, match="must lie in the brain"):
        place_at(brain, 25, 0, 0, 50.0, SPACING_MM)


def test_random_places_leave_room_for_the_whole_disc(brain):
    for seed in range(10):
        place = random_place(brain, 15.0, 50.0, SPACING_MM, np.random.default_rng(seed))
        case = planted(Circle(15.0, intensity=0.95), brain, place=place)
        assert len(set(case.truth[case.planted].sum((1, 2)))) == 1, "cut by the brain's edge on some slice"


def test_a_toy_larger_than_the_brain_takes_the_roomiest_place(brain):
    case = planted(Circle(200.0, intensity=0.95), brain)
    np.testing.assert_array_equal(case.truth[case.planted], brain.mask[case.planted])


def test_one_image_alone_takes_a_toy_too(brain):
    assert planted(Circle(), brain[25:26]).truth.any()


def test_the_four_datasets_have_the_thesis_numbers_of_combinations():
    assert {name: len(combinations) for name, combinations in DATASETS.items()} == {
        "circles": 20, "random": 20, "multiple": 6, "tumour": 1,
    }  # fmt: skip


def test_toys_of_one_size_share_their_place_in_a_subject_and_differ_between_subjects(brain):
    dark, grey = (next(c for c in DATASETS["random"] if c.name == f"10 mm {label}") for label in ("dark", "grey"))
    first, second = (plant("random", c, brain, SPACING_MM, "a") for c in (dark, grey))
    np.testing.assert_array_equal(first.truth, second.truth)
    assert (plant("random", dark, brain, SPACING_MM, "b").truth != first.truth).any()
    assert (plant("random", dark, brain, SPACING_MM, "a", seed=1).truth != first.truth).any()
