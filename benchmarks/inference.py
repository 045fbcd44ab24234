"""`python -m benchmarks.inference [CHECKPOINT]`: ONNX Runtime against PyTorch eager, one 78-slice volume, same weights."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import models
from models.export import load_from_onnx
from vaead_core.inference.vae import OnnxVAE

SLICES, REPEATS = 78, 15


def main(folder: Path) -> None:
    """Prints median seconds of each way and the ratios; the ways take turns, so that drift hits all alike."""
    network = models.build(json.loads((folder / "checkpoint.json").read_text())["architecture"])
    load_from_onnx(network, folder)
    network.eval()
    vae = OnnxVAE.read(folder)
    size = network.image_size
    images = np.random.default_rng(0).uniform(-1, 1, (SLICES, size, size)).astype(np.float32)
    tensor = torch.from_numpy(images)[:, None]

    def runtime() -> np.ndarray:
        return vae.decode(vae.encode(images, stages=())[0].mean)

    @torch.no_grad()
    def batch() -> np.ndarray:
        return network.decode(network.encode(tensor)[0])[:, 0].numpy()

    @torch.no_grad()
    def one_by_one() -> np.ndarray:
        return np.concatenate([network.decode(network.encode(row[None])[0])[:, 0].numpy() for row in tensor])

    ways: dict[str, Callable[[], np.ndarray]] = {
        "onnxruntime": runtime,
        "torch, batch": batch,
        "torch, slice by slice": one_by_one,
    }
    outputs = {name: way() for name, way in ways.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPEATS):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
    ours = np.median(seconds["onnxruntime"])
    for name, times in seconds.items():
        print(f"{name:24} {np.median(times):.3f} s  onnxruntime / this {ours / np.median(times):.2f}")
    gap = max(np.abs(outputs["onnxruntime"] - outputs[name]).max() for name in ways)
    print(f"largest difference of outputs {gap:.1e}; {torch.get_num_threads()} threads")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "checkpoints/brain-slices-2mm"))
