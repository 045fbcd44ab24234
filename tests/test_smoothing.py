import numpy as np

from vaead_core.measures.smoothing import gaussian


def test_a_flat_map_stays_flat_up_to_the_rim_and_0_outside():
    mask = np.zeros((1, 20, 20), bool)
    mask[:, 5:15, 5:15] = True
    found = gaussian(np.where(mask, 3.0, 100.0), mask, 2)
    np.testing.assert_allclose(found[mask], 3, rtol=1e-5)
    assert not found[~mask].any()


def test_slices_are_smoothed_one_by_one_and_noise_shrinks_by_the_kernels_energy():
    rng = np.random.default_rng(0)
    maps, mask = rng.normal(size=(2, 200, 200)), np.ones((2, 200, 200), bool)
    maps[1] = 0
    found = gaussian(maps, mask, 2)
    assert not found[1].any()
    assert abs(found[0].std() * 2 * np.sqrt(np.pi) * 2 - 1) < 0.1  # deviation 1 / (2 √π σ) of white noise
