"""Where a training and its publishing compute, and in which precision."""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch

from training.config import Device
from vaead_core.computing.onnx_graph import OnnxGraph, Opener, has_cuda
from vaead_core.errors import InputError


def chosen(device: Device) -> Literal["cpu", "cuda"]:
    """auto: cuda where it is there. Raises InputError where cuda is asked for and is not."""
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise InputError("No CUDA device is at hand, or this PyTorch was built without CUDA; give --device cpu or leave it out.")
    return "cuda" if there and device != "cpu" else "cpu"


def graphs_on(device: Device) -> Opener:
    """Opens a checkpoint's graphs there; auto: on CUDA where both it and an ONNX Runtime for it are at hand.

    Raises InputError where cuda is asked for and is not at hand, what it gives where ONNX Runtime has no CUDA.
    """
    there = chosen(device)
    return partial(OnnxGraph, device="cpu" if device == "auto" and not has_cuda() else there)


def native_precision(device: str = "cpu") -> Literal["bf16-mixed", "32-true"]:
    """bf16-mixed where a `device` has bfloat16 arithmetic, `cuda` or `cpu`; emulated, it is slower than float32."""
    if device == "cuda":
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
    found = torch.cpu.get_capabilities()
    return "bf16-mixed" if any(found.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16")) else "32-true"
