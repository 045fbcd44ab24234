"""`tests/support/fitted.py COHORT OUT BATCH`: what processes of a test train on a pickled cohort, and the weights they keep."""

import pickle
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from tests.support.trainings import tiny
from training import processes
from training.run import fit
from vaead_core.errors import exit_status

STEPS = 3


def main(cohort: str, out: Path, batch: int) -> None:
    """Writes weights and history after one epoch of STEPS steps in float64, from the first process alone."""
    torch.set_num_threads(1)
    settings = tiny(out / "model", epochs=1, steps_per_epoch=STEPS, batch_size=batch, precision="64-true")
    config, fabric = processes.launch(settings)
    network, _, history = fit(fabric, config, pickle.loads(Path(cohort).read_bytes()))
    if fabric.is_global_zero:
        (out / "history.csv").write_text(history)
        save_file({name: value.contiguous() for name, value in network.state_dict().items()}, out / "weights.safetensors")


if __name__ == "__main__":
    sys.exit(exit_status(lambda: main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])), Path(sys.argv[2]), "nothing is kept"))
