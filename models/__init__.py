"""Torch networks, one file each; all have `encode`, `decode`, `forward`, `image_size` and `latent_size`."""

import inspect
from typing import Any

from models.constrained_vae import ConstrainedVAE
from models.simple_vae import SimpleVAE
from models.spatial_vae import SpatialVAE
from models.vae import VAE

ARCHITECTURES: dict[str, type[VAE]] = {"simple_vae": SimpleVAE, "constrained_vae": ConstrainedVAE, "spatial_vae": SpatialVAE}
SIZES = ("image_size", "latent_size", "width")


def build(architecture: dict[str, Any]) -> VAE:
    """The untrained network of a config such as {"name": "simple_vae", "image_size": 32, "latent_size": 16}.

    Raises ValueError for an unknown name or setting and for a value that no network can have.
    """
    settings = dict(architecture)
    name = settings.pop("name", None)
    if name not in list(ARCHITECTURES):
        raise ValueError(f"architecture must be one of {sorted(ARCHITECTURES)}, got {name!r}")
    known = list(inspect.signature(ARCHITECTURES[name]).parameters)
    for setting, value in settings.items():
        if setting not in known:
            raise ValueError(f"settings of {name} must be among {known}, got {setting!r}")
        if setting in SIZES and (type(value) is not int or value < 1):
            raise ValueError(f"{setting} must be an integer of at least 1, got {value!r}")
    return ARCHITECTURES[name](**settings)
