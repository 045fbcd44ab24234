"""What sets a scan apart is measured as it is, moved little by a lesion, and named where maps exceed those of healthy scans."""

from dataclasses import replace

import numpy as np
import pytest

from vaead_core.measures.aggregates import DEFAULT
from vaead_core.pipeline.cautions import cautions
from vaead_core.pipeline.record import scores_record
from vaead_core.pipeline.scoring import PreparedScan, prepare, score
from vaead_core.scans.image_quality import MEASURES, image_quality, outside
from vaead_core.scans.preprocessing import Preprocessor
from vaead_core.scans.standardisation import TISSUES, tissues_on
from vaead_core.scans.volume import Brain


@pytest.fixture(scope="module", params=["z", "tissues"])
def placed(request, brain_volume) -> Brain:
    return Preprocessor(contrast=request.param).to_brain(brain_volume)


def with_intensity(brain: Brain, change) -> Brain:
    """What the network sees, changed."""
    return replace(brain, intensity=(np.clip(change(brain.intensity), -1, 1) * brain.mask).astype(np.float32))


def test_contrast_is_where_grey_matter_lies_in_the_scan_itself(placed):
    labels = tissues_on(2) * placed.mask
    own = placed.scale.to_own(placed.intensity)
    fluid, grey, white = (np.median(own[labels == tissue]) for tissue in TISSUES)
    assert image_quality(placed)["contrast"] == pytest.approx((grey - fluid) / (white - fluid), abs=1e-3)
    assert image_quality(placed)["similarity"] == pytest.approx(placed.transform.similarity, abs=1e-4)


@pytest.fixture
def plain(placed) -> Brain:
    """Every tissue of one value: nothing but what a test adds."""
    labels = tissues_on(2) * placed.mask
    return replace(placed, intensity=np.select([labels == one for one in TISSUES], (-0.2, 0.1, 0.3)).astype(np.float32))


def test_noise_is_in_steps_of_grey_to_white_matter(plain):
    assert image_quality(plain)["noise"] == 0
    rng = np.random.default_rng(0)
    found = image_quality(with_intensity(plain, lambda seen: seen + 0.05 * rng.standard_normal(seen.shape)))
    within = 0.25 * np.sqrt(1 - 1 / 27)  # 0.05 of a step of 0.2, less the mean of 27 voxels of it
    assert found["noise"] == pytest.approx(within, rel=0.1)
    assert found["unevenness"] == pytest.approx(0.25 * 1.349, rel=0.05)


def test_a_slope_over_the_brain_makes_white_matter_uneven_and_not_noisy(plain):
    slope = np.linspace(-0.1, 0.1, plain.intensity.shape[0])[:, None, None]
    found = image_quality(with_intensity(plain, lambda seen: seen + slope))
    assert found["unevenness"] > 0.15
    assert found["noise"] < 0.02


def test_a_lesion_moves_it_little(placed):
    i, j, k = np.indices(placed.mask.shape)
    ball = (i - 45) ** 2 + (j - 60) ** 2 + (k - 45) ** 2 < 8**2  # 17 ml
    before, after = image_quality(placed), image_quality(with_intensity(placed, lambda seen: np.where(ball, -0.5, seen)))
    for name in MEASURES:
        assert after[name] == pytest.approx(before[name], rel=0.15), name


@pytest.mark.parametrize(("value", "scans", "said"), [(0.61, 34, False), (0.63, 34, True), (0.75, 3, False), (0.85, 3, True)])
def test_of_few_scans_less_is_outside(value, scans, said):
    known = {"noise": tuple(np.linspace(0.4, 0.6, scans))}
    assert bool(outside({"noise": value}, known)) is said


def test_the_farthest_comes_first():
    known = {name: (0.4, 0.5, 0.6) for name in MEASURES}
    found = outside({"similarity": 0.1, "contrast": 0.5, "noise": 1.2, "unevenness": 0.55}, known)
    assert [one.split(" (")[0] for one in found] == ["its noise or sharpness", "how well it lies on the atlas"]
    assert found[0].endswith("is 1.20, theirs 0.40 to 0.60")


# What is said of a scan


@pytest.fixture(scope="module")
def scan(brain_volume, tiny_checkpoint) -> PreparedScan:
    return prepare(brain_volume, tiny_checkpoint)


def beyond(found):
    """As if every healthy scan scored less."""
    return replace(found, scan_percentiles={kind: 100.0 for kind in found.scan_percentiles})


def test_a_checkpoint_holds_the_figures_of_its_healthy_scans_in_no_order_of_theirs(tiny_checkpoint, tiny_cohort):
    told = tiny_checkpoint.provenance.source.quality
    scans = (*tiny_cohort.train.quality, *tiny_cohort.validation.quality)
    assert told == {name: tuple(sorted(one[name] for one in scans)) for name in MEASURES}


@pytest.mark.parametrize(
    ("quality", "scale", "exceeds", "said"),
    [
        ("like", "scan", False, None),
        ("like", "healthy", False, None),
        ("unlike", "scan", False, None),
        ("unlike", "healthy", False, "This scan is unlike the healthy scans of the training site: its noise or"),
        ("like", "scan", True, "so it is rather its anatomy, or a lesion."),
        ("unlike", "scan", True, "it can be that this scan is unlike the healthy scans of the training site: its noise or"),
        ("unknown", "scan", True, "it can be another scanner, contrast or skull-stripping; compare with a healthy scan"),
    ],
)
def test_it_is_said_in_what_a_scan_is_unlike_healthy_ones(scan, tiny_checkpoint, quality, scale, exceeds, said):
    known = {name: (0.9 * value, 1.1 * value) for name, value in scan.quality.items()}
    if quality == "unlike":
        known["noise"] = (3.0, 4.0)
    source = replace(tiny_checkpoint.provenance.source, quality={} if quality == "unknown" else known)
    checkpoint = replace(tiny_checkpoint, provenance=replace(tiny_checkpoint.provenance, source=source))
    found = score(scan, checkpoint, "residual", scale)
    assert found.scan_percentiles[DEFAULT] < 100 or exceeds
    sentences = cautions(scan, [beyond(found) if exceeds else found], checkpoint)[len(scan.brain.warnings) :]
    assert [said in one for one in sentences] == ([True] if said else []), sentences


def test_the_record_holds_its_figures_and_those_of_healthy_scans(scan, tiny_checkpoint):
    record = scores_record(scan, [score(scan, tiny_checkpoint, "residual")], tiny_checkpoint)
    assert record["image_quality"] == scan.quality
    known = tiny_checkpoint.provenance.source.quality
    assert record["image_quality_of_healthy_scans"] == {name: (min(values), max(values)) for name, values in known.items()}
