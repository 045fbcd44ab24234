"""One change at a time: of a map, on the shipped model; of a network, at the budget of `training.ablations`."""

from __future__ import annotations

from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.experiments.toy_scans import Choice

TOYS = ("random",)
NETWORK_MAPS: tuple[Choice, ...] = (
    ("residual", ()), ("normalised_residual", ()), ("normalised_residual", (("gaussian_mm", 4),)), ("zscored_activation", ()),
)  # fmt: skip
MAP_CHANGES: tuple[Choice, ...] = (
    *NETWORK_MAPS,
    ("normalised_residual", (("gaussian_mm", 2),)),
    ("normalised_residual", (("gaussian_mm", 6),)),
    ("residual", (("gaussian_mm", 4),)),
    ("voxel_atlas", ()),
    ("voxel_atlas", (("gaussian_mm", 4),)),
    ("dark_voxel_atlas", ()),
    ("asymmetry", (("voxels", 2),)),
    ("asymmetry", (("voxels", 4),)),
    ("dark_asymmetry", (("voxels", 2),)),
    ("dark_asymmetry", (("voxels", 4),)),
    ("monte_carlo_residual", ()),
    ("denoised_residual", ()),
    ("denoised_residual", (("pixels", 2),)),
    ("histogram_equalised", ()),
)
UNSHIPPED: tuple[Choice, ...] = (("feature_reconstruction", ()), ("patch_novelty", ()), ("restored_residual", ()))


def maps_of(checkpoint: Checkpoint, shipped: bool) -> tuple[Choice, ...]:
    """What is measured of a checkpoint: changes of maps, or what no shipped one can have, or what compares networks."""
    if shipped:
        return MAP_CHANGES
    known = scorers.scorers_of(checkpoint.model)
    return tuple(choice for choice in UNSHIPPED if choice[0] in known) or NETWORK_MAPS
