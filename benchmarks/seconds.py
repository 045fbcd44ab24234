"""`python -m benchmarks.seconds [--record]`: seconds of each scorer and detector on one prepared 2 mm scan, models loaded.

The network's own pass counts each time; registration and a detector's fit, once a scan and once a model, do not.
--record writes results/seconds.json, from which the method tables take their column.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.cohorts.samples import load_sample
from vaead_core.computing import machine
from vaead_core.detectors import DETECTORS
from vaead_core.detectors.latent_detector import fit_latent_detector
from vaead_core.inference.model import Model
from vaead_core.pipeline.scoring import prepare
from vaead_core.scans.volume import Array, Slices, Volume

RUNS = 5
RECORD = Path(__file__).resolve().parents[1] / "results" / "seconds.json"


def main(record: bool) -> None:
    """Prints a line a method, the slowest first, and what all scorers take together."""
    slices, patches = (Checkpoint.load(f"checkpoints/brain-{what}-2mm") for what in ("slices", "patches"))
    scan = load_sample("healthy brain A").scan
    of_slices, of_patches = (scorers.scorers_of(checkpoint.model) for checkpoint in (slices, patches))
    found = seconds_of_scorers(slices, scan, of_slices)
    found |= seconds_of_scorers(patches, scan, [name for name in of_patches if name not in of_slices])
    together = sum(found.values())
    found |= seconds_of_detectors(slices, scan)
    for name, value in sorted(found.items(), key=lambda one: -one[1]):
        known = scorers.SCORERS.get(name) or DETECTORS[name]
        print(f"{known.title:32} {value:6.2f} s")
    print(f"all scorers, one after the other: {together:.1f} s")
    if record:
        about: dict[str, Any] = {
            "command": "python -m benchmarks.seconds --record",
            "processor": processor(),
            "python": platform.python_version(),
        }
        about |= {"onnxruntime": version("onnxruntime"), "seconds": {name: round(found[name], 3) for name in sorted(found)}}
        RECORD.write_text(json.dumps(about, indent=1) + "\n")


def seconds_of_scorers(checkpoint: Checkpoint, scan: Volume, names: Iterable[str]) -> dict[str, float]:
    """Each of these scorers, the network run anew for each."""
    slices, found = prepare(scan, checkpoint).slices, {}
    for name in names:
        scorer = scorers.build(name)
        call = scorer.score_map if isinstance(scorer, scorers.MapScorer) else scorer.score
        found[name] = median_seconds(partial(_score, call, checkpoint.model, slices))
    return found


def _score(call: Callable[[Model, Slices], Array], model: Model, slices: Slices) -> Array:
    return call(_unused(model), slices)


def seconds_of_detectors(checkpoint: Checkpoint, scan: Volume) -> dict[str, float]:
    """Each detector at its defaults, already fitted to the checkpoint's healthy latents."""
    slices, healthy, found = prepare(scan, checkpoint).slices, checkpoint.latents, {}
    for name in DETECTORS:
        fitted = fit_latent_detector(name, healthy.mean, healthy.position)
        score = lambda fitted=fitted: fitted.score(_unused(checkpoint.model).latents(slices), slices.position)  # noqa: E731
        found[name] = median_seconds(score)
    return found


def median_seconds(call: Callable[[], object]) -> float:
    """Of RUNS calls, after one that does not count."""
    call()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def _unused(model: Model) -> Model:
    """The model with nothing remembered."""
    return Model(model.vae, model.reference, model.stride, model.companions, model.healthy, model.memory)


def processor() -> str:
    """Its name and how many cores this machine has."""
    return f"{machine.processor()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main("--record" in sys.argv[1:])
