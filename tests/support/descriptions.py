"""What the smallest checkpoint.json says."""

from typing import Any

TRAINING = {"images": "slices", "data": None, "epochs": 3, "seed": 0}


def description(**said: Any) -> dict[str, Any]:
    """A description that `Provenance.read` takes, with the entries of `said` in place of its own."""
    smallest = {"architecture": {"name": "simple_vae"}, "training": TRAINING, "data": {"description": "six brains"}}
    return {**smallest, **said}
