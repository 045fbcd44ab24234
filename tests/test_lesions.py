"""Painted lesions obey their contract, and their experiment measures what they leave behind."""

import numpy as np
import pytest

from vaead_core.anomalies import lesions
from vaead_core.anomalies.lesions.outlines import blob, tissues
from vaead_core.experiments import painted
from vaead_core.experiments.painted import KINDS, PaintedPart
from vaead_core.scans import atlas
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.volume import Brain


@pytest.fixture(scope="module")
def brain(brain_volume) -> Brain:
    return Preprocessor().to_brain(brain_volume)


def own_intensity(brain: Brain) -> np.ndarray:
    return brain.scale.to_own(brain.intensity)


@pytest.mark.parametrize("kind", sorted(lesions.LESIONS))
def test_a_lesion_repeats_lies_in_the_brain_and_leaves_the_rest_as_it_was(kind, brain):
    case, again, other = (lesions.build(kind).paint(brain, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(case.brain.intensity, again.brain.intensity)
    np.testing.assert_array_equal(case.truth, again.truth)
    assert (case.truth != other.truth).any()
    assert 0.2 < case.truth.sum() * brain.spacing_mm**3 / 1000 < 60, "millilitres"
    assert not case.truth[~brain.mask].any()
    assert np.isfinite(case.brain.intensity).all()
    changed = case.brain.intensity != brain.intensity
    assert not changed[~brain.mask].any()
    assert changed[case.truth].mean() > 0.9
    assert changed.mean() < 0.2


@pytest.mark.parametrize("kind", ["white_matter", "cortical"])
@pytest.mark.parametrize("change", [-0.3, 0.1])
def test_its_intensity_is_so_much_darker_or_brighter_than_the_tissue_was(kind, change, brain):
    case = lesions.build(kind, change=change).paint(brain, np.random.default_rng(0))
    before, after = own_intensity(brain)[case.truth], own_intensity(case.brain)[case.truth]
    free = (np.abs(case.brain.intensity[case.truth]) < 1) & (before > 0)
    share = after[free] / before[free] - 1
    assert np.abs(share).max() == pytest.approx(abs(change), abs=0.005)
    assert 0.8 * abs(change) < np.median(np.sign(change) * share), "small spots are soft edge for the most part"


def test_white_matter_spots_lie_in_white_matter_alone(brain):
    case = lesions.build("white_matter").paint(brain, np.random.default_rng(0))
    assert (tissues(2)[case.truth] == atlas.WHITE).all()


def test_a_mass_pushes_the_tissue_about_it_outwards(brain):
    axis = np.indices(brain.intensity.shape)[0].astype(np.float32)
    ramp = Brain(axis / 200, brain.mask, 2, brain.scan, brain.transform, brain.scale)
    case = lesions.build("mass", change=0.0).paint(ramp, np.random.default_rng(0))
    centre = np.argwhere(case.truth).mean(0)
    sure = brain.mask & (np.abs(axis - centre[0]) > 3)  # the truth's middle is not quite the mass's
    moved = (ramp.intensity - case.brain.intensity) * np.sign(axis - centre[0]) * sure
    assert moved.min() > -1e-3, "what stands at a place lay nearer to the centre"
    assert moved.max() > 0.4 * 14 / 2 / 200 / 2
    far = np.abs(axis - centre[0]) > 35
    assert np.abs(moved[far]).max() < 1e-3


def test_atrophy_darkens_alone(brain):
    case = lesions.build("atrophy").paint(brain, np.random.default_rng(0))
    assert (case.brain.intensity <= brain.intensity + 1e-6).all()


def test_an_outline_has_about_its_radius_and_a_soft_edge():
    shares = [blob((60, 60, 60), np.array([30, 30, 30]), 20.0, 2.0, np.random.default_rng(seed)) for seed in range(8)]
    share, volumes_mm3 = shares[0], [8 * (one >= 0.5).sum() for one in shares]
    assert np.mean([(3 * volume / 4 / np.pi) ** (1 / 3) for volume in volumes_mm3]) == pytest.approx(20, rel=0.2)
    assert np.std(volumes_mm3) > 0
    assert ((share > 0) & (share < 1)).sum() > 50


def test_the_experiment_measures_each_combination_against_its_own_truth(tiny_checkpoint_folder, monkeypatch):
    maps = (("voxel_atlas", ()), ("dark_asymmetry", ()))
    part = PaintedPart(str(tiny_checkpoint_folder), "synthetic:4", "synthetic-00-000", "cortical", 0, maps)
    found = part.measure()
    assert [one.combination for one in found[::2]] == list(KINDS["cortical"])
    assert {one.scorer for one in found} == {"voxel_atlas", "dark_asymmetry"}
    assert all(0 < one.prevalence < 0.1 and 0 < one.ap <= 1 for one in found)
    assert len({one.prevalence for one in found}) == len(KINDS["cortical"]), "each lies elsewhere"
    few = dict(list(KINDS["cortical"].items())[:2])
    monkeypatch.setattr(painted, "KINDS", {"cortical": few})
    assert part.measure() == found[: len(few) * len(maps)], "the same again"
