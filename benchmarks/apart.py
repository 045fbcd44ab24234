"""`python -m benchmarks.apart`: seconds of shipped networks in the server's process, and in one of their own.

Every scorer that a checkpoint is calibrated for, on one sample; the maps must be the same to the bit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from vaead_core import scorers
from vaead_core.checkpoints.checkpoint import Checkpoint
from vaead_core.checkpoints.search import shipped
from vaead_core.cohorts.samples import load_sample
from vaead_core.computing.apart import Apart
from vaead_core.computing.onnx_graph import OnnxGraph
from vaead_core.pipeline import scoring

Result = TypeVar("Result")


def timed(work: Callable[..., Result], *given: Any) -> tuple[Result, float]:
    """What it gives, and its seconds."""
    began = time.perf_counter()
    return work(*given), time.perf_counter() - began


def main() -> None:
    scan = load_sample("healthy brain A").scan
    for name in ("brain-slices-2mm", "brain-patches-2mm"):
        (here, opened), (there, opened_apart) = (
            timed(Checkpoint.load, shipped(name), opener) for opener in (OnnxGraph, Apart(name).graph)
        )
        prepared = scoring.prepare(scan, here)
        print(f"{name}: opened in {opened:.2f} s, apart in {opened_apart:.2f} s")
        total = np.zeros(2)
        for scorer in scorers.map_scorers(here.model):
            if scorer in here.calibration:
                found = []
                for place, checkpoint in enumerate((here, there)):
                    checkpoint.model.forget()
                    result, seconds = timed(scoring.score, prepared, checkpoint, scorer)
                    found.append(result.map_values)
                    total[place] += seconds
                print(f"  {scorer:28} {'the same' if np.array_equal(found[0], found[1]) else 'DIFFERENT'}")
        print(f"  all of them: {total[0]:.1f} s, apart {total[1]:.1f} s")


if __name__ == "__main__":
    main()
