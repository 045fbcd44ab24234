import numpy as np
import pytest

from vaead_core.cohorts import synthetic
from vaead_core.scans import atlas
from vaead_core.scans.geometry import AffineToAtlas
from vaead_core.scans.registration import atlas_grid, to_atlas


@pytest.fixture(scope="module")
def labels():
    whole = atlas.tissues().astype(np.float32)
    return to_atlas(whole, atlas.t1(), AffineToAtlas(np.eye(4)), atlas_grid(2), nearest=True)


@pytest.mark.parametrize(("index", "age"), [(0, 20.0), (1, 80.0), (4, 20.0)])
def test_the_deformation_of_a_subject_folds_nothing(labels, index, age):
    displacement = synthetic._displacement(np.random.default_rng([0, index]), labels, age, 2)
    jacobian = np.stack([np.stack(np.gradient(part)) for part in displacement]) + np.eye(3)[..., None, None, None]
    assert np.linalg.det(jacobian.transpose(2, 3, 4, 0, 1)).min() > 0


def test_csf_takes_up_more_room_with_age(labels):
    shares = []
    for age in (20.0, 50.0, 80.0):
        points = np.indices(labels.shape) + synthetic._displacement(np.random.default_rng(0), labels, age, 2)
        i, j, k = np.rint(points).astype(int).clip(0, np.array(labels.shape)[:, None, None, None] - 1)
        warped = labels[i, j, k]
        shares.append((warped == atlas.CSF).sum() / (warped > 0).sum())
    assert shares == sorted(shares)
    assert shares[2] > 1.1 * shares[0]


def test_only_what_lies_near_the_brain_is_computed_and_no_voxel_differs_by_it(labels, monkeypatch):
    near, shares = synthetic._near, []

    def everywhere(inside, points):
        shares.append(near(inside, points).mean())
        return np.ones(points.shape[1:], bool)

    made = synthetic.synthetic_brain(3, 1, 60.0)
    monkeypatch.setattr(synthetic, "_near", everywhere)
    whole = synthetic.synthetic_brain(3, 1, 60.0)
    np.testing.assert_array_equal(made.data, whole.data)
    np.testing.assert_array_equal(made.brain, whole.brain)
    assert shares[0] < 0.3
