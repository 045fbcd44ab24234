"""Calibration against the same thing done slowly: a fresh network run for every fold."""

from collections import Counter

import numpy as np
import pytest

from vaead_core import scorers
from vaead_core.checkpoints.calibration import calibrate, healthy_reference, training_reference
from vaead_core.inference.model import Model
from vaead_core.inference.reference import PlaceStatistics
from vaead_core.inference.vae import STAGES
from vaead_core.measures.aggregates import AGGREGATES, aggregate
from vaead_core.scans.volume import Slices

DEPTH = 4


class Counting:
    """A network that counts how often it encodes each image."""

    def __init__(self, vae):
        self.vae, self.image_size, self.seen = vae, vae.image_size, Counter()

    def encode(self, images, stages=STAGES):
        self.seen.update(image.tobytes() for image in images)
        return self.vae.encode(images, stages)

    def decode(self, latents):
        return self.vae.decode(latents)

    has_gradient = True

    def kl_gradient(self, images):
        return self.vae.kl_gradient(images)


def people(count: int, size: int, seed: int) -> tuple[Slices, np.ndarray]:
    """Random images of `count` subjects, DEPTH each, with a round brain off the middle, and whose each is."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((size, size))
    radii = rng.uniform(0.2, 0.4, count * DEPTH) * size
    mask = (rows - 0.4 * size) ** 2 + (columns - 0.4 * size) ** 2 < radii[:, None, None] ** 2
    pixels = rng.uniform(-1, 1, (count * DEPTH, size, size)).astype(np.float32)
    return Slices(pixels, mask, np.tile(np.arange(DEPTH), count)), np.repeat(np.arange(count), DEPTH)


def slowly(vae, stride, train, held_out, subject):
    """name → (|map| of all brain pixels, aggregates an image), each subject against a reference of the others."""
    training = training_reference(Model(vae, stride=stride), train, DEPTH)
    found = {name: ([], []) for name in scorers.scorers_of(Model(vae, stride=stride))}
    for person in np.unique(subject):
        others, own = held_out[subject != person], held_out[subject == person]
        model = Model(vae, healthy_reference(Model(vae, stride=stride), training, others, DEPTH), stride)
        for name, (pixels, images) in found.items():
            scorer = scorers.build(name)
            if isinstance(scorer, scorers.MapScorer):
                maps = scorer.score_map(model, own)
                maps = np.abs(maps) if name in ("signed_residual", "zscored_activation", "asymmetry") else maps
                pixels.append(maps[own.mask])
                images.append(np.stack(list(aggregate(maps, own.mask).values()), 1))
            else:
                images.append(np.repeat(scorer.score(model, own)[:, None], len(AGGREGATES), 1))
    return found


@pytest.mark.parametrize(("size", "stride"), [(96, None), (128, 16)])
def test_calibration_equals_the_slow_way_and_runs_the_network_once(tiny_checkpoint, size, stride):
    network = Counting(tiny_checkpoint.model.vae)
    train, _ = people(3, size, 0)
    held_out, subject = people(3, size, 1)
    reference, calibration = calibrate(Model(network, stride=stride), train, held_out, subject, DEPTH)
    assert max(network.seen.values()) == 1, "each image or window once"
    expected = slowly(network.vae, stride, train, held_out, subject)
    for name, (pixels, images) in expected.items():
        healthy, values = calibration[name], np.concatenate(images)
        if pixels:
            quantiles = np.quantile(np.concatenate(pixels), np.linspace(0, 1, 1001))
            np.testing.assert_allclose(healthy.pixels, quantiles, rtol=2e-4, atol=1e-5)
            if scorers.SCORERS[name].own_scale == "spread" and not scorers.SCORERS[name].needs.members:
                scaled = [(one - np.median(one)) / (1.4826 * np.median(np.abs(one - np.median(one)))) for one in pixels]
                quantiles = np.quantile(np.concatenate(scaled), np.linspace(0, 1, 1001))
                np.testing.assert_allclose(healthy.scaled.pixels, quantiles, rtol=2e-3, atol=1e-3)
        else:
            assert healthy.scaled is None
        for column, kind in enumerate(AGGREGATES):
            np.testing.assert_allclose(healthy.images[kind], np.sort(values[:, column]), rtol=2e-4, atol=1e-5)
            scans = np.sort([part[:, column].mean() for part in images])
            np.testing.assert_allclose(healthy.scans[kind], scans, rtol=2e-4, atol=1e-5)
    np.testing.assert_array_equal(reference["intensity"].mean, PlaceStatistics.of(train.pixels, train, DEPTH).mean)
    model = Model(network.vae, stride=stride)
    whole = healthy_reference(model, training_reference(model, train, DEPTH), held_out, DEPTH)
    for quantity, places in whole.places.items():
        np.testing.assert_allclose(reference[quantity].mean, places.mean, rtol=2e-4, atol=1e-5)


def test_a_part_is_what_the_network_makes_of_it_alone(tiny_checkpoint):
    held_out, subject = people(2, 128, 3)
    vae = tiny_checkpoint.model.vae
    model = Model(vae, stride=16)
    part = model.subset(held_out, subject == 1)
    alone = held_out[subject == 1]
    np.testing.assert_array_equal(part.pixels, alone.pixels)
    for ours in (lambda view: view.reconstruction, lambda view: view.activation(2)):
        found, expected = model.map(part, ours), Model(vae, stride=16).map(alone, ours)
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-5)
    np.testing.assert_allclose(model.latents(part), Model(vae, stride=16).latents(alone), rtol=2e-4, atol=1e-5)
