"""Calibrations as named arrays of one .npz: healthy values of scorers, the reference at each place, memories."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vaead_core.checkpoints.calibration import Calibration, ScorerCalibration
from vaead_core.inference.model import Memory
from vaead_core.inference.reference import PlaceStatistics, Reference
from vaead_core.measures.aggregates import AGGREGATES
from vaead_core.scans.volume import Array

STEPS = 32  # of the stored reference in a median healthy deviation: far finer than it is known from a few brains


def packed(reference: Reference, calibration: Calibration, memory: Mapping[str, Memory]) -> dict[str, Array]:
    """What `unpacked` reads, by name."""
    arrays = {f"memory/{name}/{key}": array.astype(np.float16) for name, kept in memory.items() for key, array in kept.items()}
    for quantity, places in reference.places.items():
        step = float(np.median(places.deviation)) / STEPS
        arrays[f"reference/{quantity}/step"] = np.array(step, np.float32)
        for name in ("mean", "deviation"):
            arrays[f"reference/{quantity}/{name}"] = _in_steps(getattr(places, name), step)
        if places.every != 1:
            arrays[f"reference/{quantity}/every"] = np.array(places.every, np.uint8)
    scaled = {name: found.scaled for name, found in calibration.items() if found.scaled}
    for kind, known, precision in (("scorer", calibration, np.float32), ("scaled", scaled, np.float16)):
        for name, found in known.items():
            arrays[f"{kind}/{name}/pixels"] = found.pixels.astype(precision)
            for level in ("images", "scans"):
                for aggregate in AGGREGATES:
                    arrays[f"{kind}/{name}/{level}/{aggregate}"] = getattr(found, level)[aggregate].astype(precision)
    return arrays


def save_arrays(path: Path | BinaryIO, arrays: Mapping[str, Array]) -> None:
    """As np.savez_compressed, a fiftieth smaller."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=8) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)


def _in_steps(values: Array, step: float) -> Array:
    """Whole steps, differenced along rows and then along columns, in the fewest bits that hold them all, which zips better."""
    steps = np.rint(values / step).astype(np.int32)
    differences = np.diff(np.diff(steps, axis=-1, prepend=np.int32(0)), axis=-2, prepend=np.int32(0))
    return differences.astype(np.min_scalar_type(-1 - np.abs(differences).max()))


def unpacked(arrays: Mapping[str, Array]) -> tuple[Reference, Calibration, dict[str, Memory]]:
    """What `packed` wrote; arrays of other names are left alone. Raises KeyError where one is missing."""

    def stored(quantity: str, name: str) -> Array:
        values = arrays[f"reference/{quantity}/{name}"]
        steps = np.cumsum(np.cumsum(values, axis=-2, dtype=np.int32), axis=-1, dtype=np.int32)
        return steps.astype(np.float32) * arrays[f"reference/{quantity}/step"]

    def names(kind: str) -> list[str]:
        return sorted({key.split("/")[1] for key in arrays if key.startswith(f"{kind}/")})

    def calibrated(kind: str, name: str) -> ScorerCalibration:
        def held(what: str) -> Array:
            array = arrays[f"{kind}/{name}/{what}"]
            return array.astype(np.float32) if array.dtype == np.float16 else array

        images, scans = ({a: held(f"{level}/{a}") for a in AGGREGATES} for level in ("images", "scans"))
        return ScorerCalibration(held("pixels"), images, scans)

    places = {
        name: PlaceStatistics(stored(name, "mean"), stored(name, "deviation"), int(arrays.get(f"reference/{name}/every", 1)))
        for name in names("reference")
    }
    plain, scaled = ({name: calibrated(kind, name) for name in names(kind)} for kind in ("scorer", "scaled"))
    calibration = {name: replace(found, scaled=scaled.get(name)) for name, found in plain.items()}
    memory: dict[str, Memory] = {}
    for key in (key for key in arrays if key.startswith("memory/")):
        _, name, part = key.split("/")
        memory.setdefault(name, {})[part] = arrays[key].astype(np.float32)
    return Reference(places), calibration, memory
