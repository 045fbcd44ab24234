"""Torch networks. Each has `encode`, `decode`, `forward`, `image_size`, `latent_size`; one file an architecture."""

from typing import Any

from torch import nn

from models.constrained_vae import ConstrainedVAE
from models.simple_vae import SimpleVAE

ARCHITECTURES = {"simple_vae": SimpleVAE, "constrained_vae": ConstrainedVAE}


def build(architecture: dict[str, Any]) -> nn.Module:
    """The untrained network of a config such as {"name": "simple_vae", "image_size": 32, "latent_size": 16}."""
    settings = dict(architecture)
    name = settings.pop("name", None)
    if name not in ARCHITECTURES:
        raise ValueError(f"architecture must be one of {sorted(ARCHITECTURES)}, got {name!r}")
    return ARCHITECTURES[name](**settings)
