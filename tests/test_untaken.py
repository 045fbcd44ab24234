"""Maps that were tried and not taken are what their program says they are, so that its figures mean something."""

import numpy as np
import pytest
from scipy import ndimage

from benchmarks.untaken import at_the_midline, laid_on_the_brain, top_hat
from vaead_core.scans.volume import Slices
from vaead_core.scorers.wrappers import mirrored


@pytest.fixture
def symmetric():
    """A brain of 40 slices whose halves are each other's mirror images."""
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(40, 96, 96)), 4).astype(np.float32)
    pixels = np.clip(2 * (noise + mirrored(noise)) / noise.std() / 10, -0.5, 0.5)
    k, j, i = np.indices(pixels.shape)
    mask = ((k - 20) / 19) ** 2 + ((j - 48) / 38) ** 2 + ((i - 48) / 32) ** 2 < 1
    return Slices(pixels * mask, mask & mirrored(mask), np.arange(40))


def test_a_symmetric_brain_has_no_asymmetry_by_either_mirror(symmetric):
    assert np.abs(at_the_midline(symmetric)).max() < 1e-5
    assert np.abs(laid_on_the_brain(symmetric)).max() < 0.02


def test_a_field_takes_out_most_of_what_lies_elsewhere_on_one_side(symmetric):
    i = np.indices(symmetric.pixels.shape)[2]
    bulged = np.where(i < 48, ndimage.shift(symmetric.pixels, (0, 3, 0), order=1), symmetric.pixels)
    brain = Slices(bulged * symmetric.mask, symmetric.mask, symmetric.position)
    plain, laid = (np.abs(one(brain))[brain.mask].mean() for one in (at_the_midline, laid_on_the_brain))
    assert laid < 0.5 * plain


def test_the_top_hat_finds_a_dark_dot_and_nothing_else(symmetric):
    white = symmetric.mask & (np.indices(symmetric.pixels.shape)[1] > 48)
    pixels = np.where(symmetric.mask, 0.3, 0).astype(np.float32)
    pixels += np.random.default_rng(0).normal(0, 0.001, pixels.shape).astype(np.float32)
    pixels[20, 60, 40:42] = 0.2
    found = top_hat(white, Slices(pixels, symmetric.mask, symmetric.position))
    assert np.unravel_index(found.argmax(), found.shape) in {(20, 60, 40), (20, 60, 41)}
    assert not found[~white].any()
    assert np.sort(found.ravel())[-3] < 0.2 * found.max()
