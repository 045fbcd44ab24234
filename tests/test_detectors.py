import itertools
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
from pyod.models import abod, hbos, lmdd, lscp
from pyod.models.cblof import CBLOF
from pyod.models.ecod import ECOD
from pyod.models.kde import KDE
from pyod.models.lof import LOF
from scipy.stats import norm
from threadpoolctl import threadpool_info, threadpool_limits

from vaead_core import detectors
from vaead_core.detectors.cblof import large_clusters
from vaead_core.detectors.latent_detector import fit_latent_detector
from vaead_core.detectors.lscp import FittedEnsemble, correlations
from vaead_core.detectors.nearby import FittedNearby
from vaead_core.detectors.preparation import LatentPreparation, local_statistics
from vaead_core.detectors.rows import as_scores, sampled
from vaead_core.errors import InputError
from vaead_core.measures.metrics import detection

NAMES = sorted(detectors.DETECTORS)
TABLE_I = {
    *("Covariance", "ECOD", "ABOD", "KDE", "Sampling", "GMM", "MCD", "OCSVM", "LMDD", "LOF", "CBLOF", "HBOS", "KNN"),
    *("IForest", "INNE", "LSCP", "LODA"),
}


def correlated(count: int, rng: np.random.Generator, latents: int = 32) -> np.ndarray:
    mixing = np.random.default_rng(9).normal(size=(latents, latents)) / np.sqrt(latents) + np.eye(latents)
    return rng.normal(size=(count, latents)) @ mixing


@pytest.fixture(scope="module")
def healthy() -> np.ndarray:
    return correlated(600, np.random.default_rng(0))


@pytest.fixture(scope="module")
def query() -> np.ndarray:
    """100 more healthy rows, then 60 shifted in every dimension."""
    rng = np.random.default_rng(1)
    rows = correlated(160, rng)
    rows[100:] += 3 * rng.choice([-1, 1], (60, 32))
    return rows


@pytest.fixture(scope="module")
def fitted(healthy):
    return {name: detectors.build(name).fit(healthy) for name in NAMES}


@pytest.fixture(scope="module")
def scores(fitted, query):
    """What each makes of the query; it must be left as it is."""
    return {name: one.score(query) for name, one in fitted.items()}


# The contract, for every registered detector


def test_the_detectors_are_those_of_table_one():
    assert {kind.title for kind in detectors.DETECTORS.values()} == TABLE_I
    assert len(NAMES) == 17


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_finite_float32_one_a_row(name, scores):
    assert scores[name].dtype == np.float32
    assert scores[name].shape == (160,)
    assert np.isfinite(scores[name]).all()


@pytest.mark.parametrize("name", NAMES)
def test_planted_outliers_score_higher_than_healthy_rows(name, scores):
    assert detection(scores[name], np.arange(160) >= 100).auroc > 0.97


@pytest.mark.parametrize("name", NAMES)
def test_a_row_scores_the_same_alone_in_a_batch_and_twice(name, fitted, scores, query):
    together = scores[name]
    np.testing.assert_array_equal(fitted[name].score(query), together)
    alone = np.concatenate([fitted[name].score(query[row : row + 1]) for row in (0, 57, 99, 100, 159)])
    np.testing.assert_allclose(alone, together[[0, 57, 99, 100, 159]], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_second_fit_scores_the_same_whatever_the_global_seed(name, scores, healthy, query):
    np.random.seed(123)
    before = np.random.get_state()[1].copy()
    again = detectors.build(name).fit(healthy).score(query)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.testing.assert_array_equal(again, scores[name])


@pytest.mark.parametrize("name", NAMES)
def test_inputs_stay_as_they_were_and_may_change_afterwards(name, scores, healthy, query):
    rows, asked = healthy.copy(), query.copy()
    detector = detectors.build(name).fit(rows)
    detector.score(asked)
    np.testing.assert_array_equal(rows, healthy)
    np.testing.assert_array_equal(asked, query)
    rows[:] = 0
    np.testing.assert_array_equal(detector.score(query), scores[name])


@pytest.mark.parametrize("name", NAMES)
def test_constant_latents_and_repeated_rows_give_finite_scores(name, healthy, query):
    rows = np.vstack([healthy[:300], np.repeat(healthy[:5], 12, axis=0)])
    rows[:, 3] = 0.7
    asked = np.vstack([query, rows[:4]])
    asked[:80, 3] = 0.7
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn rightly calls the covariance singular
        assert np.isfinite(detectors.build(name).fit(rows).score(asked)).all()


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_rows_are_taken_as_stored(name, healthy, query):
    half = healthy.astype(np.float16)
    np.testing.assert_array_equal(
        detectors.build(name).fit(half).score(query), detectors.build(name).fit(half.astype(float)).score(query)
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_detector_says_what_it_is(name):
    assert len(detectors.help_text(name)) > 50
    assert "(" in detectors.help_text(name)  # its paper


@pytest.mark.parametrize("name", NAMES)
def test_too_few_rows_are_refused_in_plain_words(name):
    with pytest.raises(InputError, match=r"needs at least \d+ healthy latents of 32 numbers; there are 1\."):
        detectors.build(name).fit(np.zeros((1, 32)))


def test_an_unknown_detector_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="There is no detector nearest; choose among abod"):
        detectors.build("nearest")


def test_rows_must_be_finite(fitted):
    with pytest.raises(ValueError, match="finite"):
        fitted["knn"].score(np.full((2, 32), np.nan))


def test_scores_beyond_float32_stand_at_its_limit_and_nan_is_an_error():
    assert as_scores(np.array([1e300, -np.inf])).tolist() == [np.finfo(np.float32).max, np.finfo(np.float32).min]
    with pytest.raises(ValueError, match="not a number"):
        as_scores(np.array([np.nan]))


# Against slow references


def test_covariance_and_mcd_rank_identically(fitted, query):
    np.testing.assert_array_equal(np.argsort(fitted["covariance"].score(query)), np.argsort(fitted["mcd"].score(query)))


def test_ecod_scores_each_row_against_the_frozen_training_tails(fitted, healthy, query):
    expected = []
    for row in query[95:105]:
        tails = [min(np.sum(column <= value), np.sum(column >= value)) for column, value in zip(healthy.T, row, strict=True)]
        expected.append(-np.log((np.array(tails) + 1) / 601).sum())
    np.testing.assert_allclose(fitted["ecod"].score(query[95:105]), expected, rtol=1e-6)


def test_ecod_is_what_pyod_gives_a_row_alone(fitted, healthy, query):
    plain = ECOD().fit(healthy)
    alone = np.concatenate([plain.decision_function(query[row : row + 1]) for row in range(90, 110)])
    np.testing.assert_allclose(fitted["ecod"].score(query[90:110]), alone, rtol=1e-6)
    assert not np.allclose(plain.decision_function(query), fitted["ecod"].score(query), rtol=1e-3)  # the batch leaks in


def test_abod_equals_pyod(monkeypatch, fitted, healthy, query):
    monkeypatch.setattr(abod, "_wcos", abod._wcos.py_func)
    plain = abod.ABOD(n_neighbors=5, method="fast").fit(healthy)
    asked = np.vstack([query, healthy[:3]])
    np.testing.assert_allclose(fitted["abod"].score(asked), plain.decision_function(asked), rtol=1e-5)


def test_hbos_equals_pyod(monkeypatch, fitted, healthy, query):
    monkeypatch.setattr(hbos, "_calculate_outlier_scores", hbos._calculate_outlier_scores.py_func)
    asked = np.vstack([query, healthy, 50 * query[:3]])
    np.testing.assert_allclose(fitted["hbos"].score(asked), hbos.HBOS().fit(healthy).decision_function(asked), rtol=1e-5)


def test_cblof_equals_pyod(monkeypatch, fitted, healthy, query):
    monkeypatch.setattr(
        "pyod.models.cblof.pairwise_distances_no_broadcast", lambda one, other: np.linalg.norm(one - other, axis=1)
    )
    plain = CBLOF(n_clusters=10, random_state=0).fit(healthy)
    np.testing.assert_allclose(fitted["cblof"].score(query), plain.decision_function(query), rtol=1e-5)


def test_lscp_members_that_agree_to_rounding_all_count():
    own = np.random.default_rng(0).normal(size=(40, 1))
    healthy = np.hstack([own * (1 + step * 1e-9) + step for step in range(5)])
    healthy[:, 4] += 1e-8 * np.sin(np.arange(40))
    ensemble = FittedEnsemble([], [np.arange(2)], [], healthy, np.zeros(5), np.ones(5))
    votes = np.ones(40, np.uint16)
    spread = np.ptp(correlations(healthy, healthy.max(1)))
    assert 0 < spread < 1e-12
    assert sorted(ensemble._competent(votes)) == [0, 1, 2, 3, 4]


def test_lscp_equals_pyod_in_the_same_subspaces(monkeypatch, fitted, healthy, query):
    ours = fitted["lscp"]
    endless = itertools.cycle(ours.subspaces)
    monkeypatch.setattr(lscp, "generate_bagging_indices", lambda *_, **__: next(endless))
    plain = lscp.LSCP([LOF(k) for k in (10, 20, 30, 40, 50)], n_bins=5).fit(healthy)
    np.testing.assert_allclose(ours.score(query), plain.decision_function(query), rtol=1e-4, atol=1e-5)


def test_lmdd_is_what_pyod_gives_the_row_among_the_reference(monkeypatch, healthy, query):
    monkeypatch.setattr(lmdd, "_aad", lmdd._aad.py_func)
    ours = detectors.build("lmdd", reference=12, orders=9).fit(healthy)
    plain = lmdd.LMDD()
    expected, kinds = [], set()
    asked = np.vstack([query[80:120], 1.5 * query[:40], 50 * ours.reference.std() * np.ones((1, 32))])
    for row in asked:
        together = np.vstack([ours.reference, row])
        best = (0.0, 0)
        for order in ours.orders:
            exceptions = plain._LMDD__dis(together[order])
            own_place = np.flatnonzero(order == 12)[0]
            own = exceptions[own_place]
            kinds.add("none" if own == 0 else "first" if not exceptions[:own_place].any() else "later")
            if own > best[0]:
                best = own, np.count_nonzero(exceptions <= 0)
        expected.append(best[0] * best[1])
    assert kinds == {"none", "first", "later"}
    np.testing.assert_allclose(ours.score(asked), expected, rtol=1e-5)


def test_kde_equals_pyod_near_healthy_latents_and_a_slow_sum_everywhere(fitted, query):
    ours = fitted["kde"]
    points = ours.projection.transform((query - ours.mean) / ours.deviation)
    plain = KDE(bandwidth=ours.bandwidth).fit(ours.centres).decision_function(points)
    np.testing.assert_allclose(ours.score(query)[:100], plain[:100], rtol=1e-3)
    for row in (0, 99, 100, 159):
        terms = [norm.logpdf(points[row], centre, ours.bandwidth).sum() for centre in ours.centres]
        slow = -(np.logaddexp.reduce(terms) - np.log(len(terms)))
        assert ours.score(query)[row] == pytest.approx(slow, rel=1e-5)


def test_kde_of_one_dense_latent_is_near_its_normal_density():
    rows = np.random.default_rng(0).normal(size=(4000, 1))
    ours = detectors.build("kde", bandwidth=0.2, rows=4000).fit(rows)
    scores = ours.score(np.array([[0.0], [1.0]]))
    deviation = rows.std()
    expected = -norm.logpdf([0.0 - rows.mean(), 1.0 - rows.mean()] / deviation, scale=np.hypot(1, 0.2))
    np.testing.assert_allclose(scores, expected, atol=0.05)


def test_loda_takes_the_bar_of_the_value_itself():
    rows = np.repeat([[0.0], [0.5], [1.5], [2.5], [9.0]], [1, 3, 3, 2, 1], axis=0)
    ours = detectors.build("loda", projections=1, bins=9).fit(rows)
    np.testing.assert_allclose(ours.score(np.array([[0.4], [1.6], [2.3], [9.0]])), -np.log([0.4, 0.3, 0.2, 0.1]), rtol=1e-5)
    assert ours.score(np.array([[-3.0], [30.0], [5.5]])).tolist() == pytest.approx([-np.log(1e-12)] * 3)


def test_abod_of_a_row_without_directions_is_that_of_the_remaining_neighbours(healthy):
    repeated = np.vstack([healthy, np.repeat(healthy[:1], 9, axis=0)])
    np.testing.assert_array_equal(
        detectors.build("abod").fit(repeated).score(healthy[:1]), detectors.build("abod").fit(healthy).score(healthy[:1])
    )


def test_large_clusters_end_at_the_share_and_the_drop_where_both_agree():
    assert large_clusters(np.array([50, 45, 5]), 0.9, 5.0) == 2
    assert large_clusters(np.array([60, 10, 10, 10, 10]), 0.9, 5.0) == 4
    assert large_clusters(np.array([95, 3, 2]), 0.9, 5.0) == 1


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("cblof", {"clusters": 8}, "10 clusters or more"),
        ("abod", {"neighbours": 2}, "at least 4 neighbours"),
        ("lmdd", {"reference": 251}, "2 to 250"),
    ],
)
def test_settings_that_cannot_work_are_refused(name, settings, message, healthy):
    with pytest.raises(InputError, match=message):
        detectors.build(name, **settings).fit(healthy)


def test_sampled_rows_keep_their_order_and_follow_the_seed():
    rows = np.arange(50)[:, None]
    assert sampled(rows, 60, 0) is rows
    assert (np.diff(sampled(rows, 20, 0)[:, 0]) > 0).all()
    assert not np.array_equal(sampled(rows, 20, 0), sampled(rows, 20, 1))


# Preparation


@pytest.fixture(scope="module")
def sliced() -> tuple[np.ndarray, np.ndarray]:
    """Latents of 30 subjects at positions 5 to 44; mean and deviation drift along the axis far more than they vary."""
    rng = np.random.default_rng(2)
    position = np.tile(np.arange(5, 45), 30)
    drift = np.stack([0.5 * position, np.cos(position / 6), np.zeros(len(position)), 0.1 * position], 1)
    return drift + rng.normal(size=drift.shape) * [1.0, 0.1, 0.0, 0.3] * (1 + position[:, None] / 20), position


def test_global_standardising_gives_mean_zero_and_deviation_one(sliced):
    rows = LatentPreparation().fit(*sliced).to_rows(*sliced)
    np.testing.assert_allclose(rows.mean(0), 0, atol=1e-10)
    np.testing.assert_allclose(rows.std(0), [1, 1, 0, 1], atol=1e-10)


def test_standardising_by_position_gives_both_at_every_position(sliced):
    latents, position = sliced
    rows = LatentPreparation("position", width_slices=1.0).fit(latents, position).to_rows(latents, position)
    for place in (10, 25, 40):
        here = rows[position == place][:, [0, 1, 3]]
        np.testing.assert_allclose(here.mean(0), 0, atol=0.6)
        np.testing.assert_allclose(here.std(0), 1, atol=0.4)
    np.testing.assert_array_equal(rows[:, 2], 0)


def test_local_statistics_equal_a_slow_reference(sliced):
    latents, position = sliced
    mean, deviation = local_statistics(latents, position, 1.5)
    for place in (5, 20, 44):
        weights = np.array([np.exp(-((place - other) ** 2) / (2 * 1.5**2)) for other in position])
        np.testing.assert_allclose(mean[place - 5], np.average(latents, axis=0, weights=weights), rtol=1e-9)
        own = np.stack([latents[row] - mean[position[row] - 5] for row in range(len(latents))])
        np.testing.assert_allclose(deviation[place - 5], np.sqrt(np.average(own**2, axis=0, weights=weights)), rtol=1e-9)


def test_positions_far_from_every_healthy_slice_take_the_nearest():
    latents, position = np.array([[0.0], [2.0], [10.0], [14.0]]), np.array([0, 0, 500, 500])
    prepared = LatentPreparation("position", width_slices=1.0).fit(latents, position)
    assert prepared.mean[100, 0] == pytest.approx(1)
    assert prepared.mean[400, 0] == pytest.approx(12)
    np.testing.assert_allclose(
        prepared.to_rows(latents[:2], np.array([-9, 900])), prepared.to_rows(latents[:2], np.array([0, 500]))
    )


def test_a_shift_hidden_by_the_drift_is_found_by_position(sliced):
    latents, position = sliced
    asked = np.vstack([latents[::7], latents[::7] + np.array([0, 0.9, 0, 0])])
    place, truth = np.tile(position[::7], 2), np.arange(2 * len(latents[::7])) >= len(latents[::7])
    found = {
        kind: detection(fit_latent_detector("hbos", latents, position, LatentPreparation(kind)).score(asked, place), truth).auroc
        for kind in ("global", "position")
    }
    assert found["global"] < 0.7
    assert found["position"] > 0.85


def test_components_are_uncorrelated_axes_of_the_standardised_latents(sliced):
    prepared = LatentPreparation(components=2).fit(*sliced)
    rows = prepared.to_rows(*sliced)
    assert rows.shape == (1200, 2)
    covariance = np.cov(rows.T)
    assert covariance[0, 0] > covariance[1, 1]
    assert abs(covariance[0, 1]) < 1e-10


def test_all_latents_constant_give_zeros():
    latents = np.full((20, 3), 4.0)
    np.testing.assert_array_equal(LatentPreparation().fit(latents, np.zeros(20, int)).to_rows(latents, np.zeros(20, int)), 0)


@pytest.mark.parametrize(
    ("preparation", "message"),
    [
        (LatentPreparation("slice"), "globally or by position, not by slice"),  # type: ignore[arg-type]
        (LatentPreparation("position", width_slices=0.0), "width in slices must be above 0"),
        (LatentPreparation(components=5), "1 to 4 components, not 5"),
    ],
)
def test_preparations_that_cannot_be_met_are_refused(preparation, message, sliced):
    with pytest.raises(InputError, match=message):
        preparation.fit(*sliced)


# The entry point


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_latents_with_a_dead_one_go_from_model_to_scores(name, sliced):
    latents, position = sliced
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        detector = fit_latent_detector(name, latents.astype(np.float16), position)
        scores = detector.score(latents[:9].astype(np.float32), position[:9])
    assert scores.shape == (9,)
    assert np.isfinite(scores).all()


def test_a_nearby_detector_compares_with_the_slices_around_only(sliced):
    latents, position = sliced
    detector = fit_latent_detector("knn", latents, position, nearby_slices=4, window_rows=200)
    assert detector.half_widths(np.array([20])).tolist() == [4]
    rows = detector.preparation.to_rows(latents, position)
    expected = detectors.build("knn").fit(rows[np.abs(position - 20) <= 4])
    asked = latents[:6] + 1
    np.testing.assert_array_equal(
        detector.score(asked, np.full(6, 20)), expected.score(detector.preparation.to_rows(asked, np.full(6, 20)))
    )


def test_a_window_with_too_few_rows_grows_until_it_holds_enough_and_says_so(sliced):
    detector = fit_latent_detector("knn", *sliced, nearby_slices=0, window_rows=100)  # 30 a slice
    assert detector.half_widths(np.array([20, 5, 44, 60, 5])).tolist() == [2, 3, 3, 19, 3]


def test_a_nearby_row_scores_the_same_alone_in_a_batch_and_in_any_order(sliced):
    latents, position = sliced
    detector = fit_latent_detector("iforest", latents, position, nearby_slices=4, trees=10)
    rows = np.random.default_rng(0).permutation(len(latents))[:40]
    together = detector.score(latents[rows], position[rows])
    fresh = fit_latent_detector("iforest", latents, position, nearby_slices=4, trees=10)
    np.testing.assert_allclose(fresh.score(latents[rows[5:6]], position[rows[5:6]]), together[5:6], rtol=1e-5)
    np.testing.assert_allclose(fresh.score(latents[rows[::-1]], position[rows[::-1]])[::-1], together, rtol=1e-5)


def test_windows_that_cannot_be_filled_are_refused(sliced):
    latents, position = sliced
    with pytest.raises(InputError, match=r"A window needs 250 healthy latents; there are 40\. Use more subjects\."):
        fit_latent_detector("knn", latents[:40], position[:40], nearby_slices=2)
    with pytest.raises(InputError, match="0 slices or more, not -1"):
        FittedNearby(detectors.build("knn"), latents, position, -1, 10)
    with pytest.raises(ValueError, match="all slices"):
        fit_latent_detector("knn", latents, position).half_widths(position)


def test_latents_and_positions_must_agree(sliced):
    latents, position = sliced
    with pytest.raises(ValueError, match="disagree"):
        fit_latent_detector("knn", latents, position[:-1])


def test_threads_are_bounded_inside_and_as_before_outside(monkeypatch, sliced):
    latents, position = sliced
    seen = []

    class Spy:
        def fit(self, rows):
            seen.append({pool["num_threads"] for pool in threadpool_info()})
            return self

        def score(self, rows):
            seen.append({pool["num_threads"] for pool in threadpool_info()})
            return np.zeros(len(rows), np.float32)

    monkeypatch.setitem(detectors.DETECTORS, "spy", Spy)
    with threadpool_limits(2):
        before = threading.active_count()
        fit_latent_detector("spy", latents, position, threads=1).score(latents, position)
        assert {pool["num_threads"] for pool in threadpool_info()} == {2}
    assert seen == [{1}, {1}]
    assert threading.active_count() == before


def test_the_detectors_load_without_torch_streamlit_or_matplotlib():
    code = "import sys, vaead_core.detectors; print({'torch', 'streamlit', 'matplotlib'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
