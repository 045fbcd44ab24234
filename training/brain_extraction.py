"""`python -m training.brain_extraction`: deepbet's two networks as the ONNX files of vaead_core/scans/deepbet.

Fisch et al. 2024, doi 10.1016/j.compbiomed.2024.108845; the weights lie in deepbet's wheel.
"""

from __future__ import annotations

import io
import warnings
from importlib.metadata import distribution
from pathlib import Path

import torch
from deepbet import utils

from models.export import OPSET, write_graph
from vaead_core.scans.stripping import NETWORKS, SIDES

WEIGHTS = {"where": "bbox_model.pt", "outline": "model.pt"}


def convert(folder: Path) -> None:
    """Writes both networks and their licence into `folder`."""
    for name, file in WEIGHTS.items():
        network = utils.load_model(f"{utils.DATA_PATH}/models/{file}", no_gpu=True)
        write_graph(_exported(network, SIDES[name]), folder / f"{name}.onnx")
    licence = next(file for file in distribution("deepbet").files or () if file.name == "LICENSE")
    (folder / "LICENSE").write_text(licence.read_text())


def _exported(network: torch.jit.ScriptModule, side: int) -> bytes:
    """A traced network that takes cubes (N, 1, side, side, side), as ONNX."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, and that the normalisation is that of training, as it is meant to be
        torch.onnx.export(
            network, (torch.zeros(1, 1, side, side, side),), buffer,  # type: ignore[arg-type]
            input_names=["head"], output_names=["tissue"], opset_version=OPSET,
            dynamic_axes={tensor: {0: "batch"} for tensor in ("head", "tissue")}, dynamo=False,
        )  # fmt: skip
    return buffer.getvalue()


if __name__ == "__main__":
    convert(NETWORKS)
