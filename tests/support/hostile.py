"""Checkpoints that ask for more than they may: by networks of known operators alone, idle on one image and not on several, and by
arrays."""  # fmt: skip

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, numpy_helper
from onnx.helper import make_node

from vaead_core.checkpoints.checkpoint import DESCRIPTION

ENDLESS, HUNGRY = (600, 3000), (20_000, 1)  # a square's side for each image but the first, and how often it is multiplied


def hostile(good: Path, folder: Path, more: tuple[int, int], of: str = "images") -> Path:
    """A copy of a checkpoint's folder whose encoder also works on a square as large as `more` says.

    of: "images", a side for each image of a batch but the first; "values", for an image's mean brightness; "all", one always.
    """
    shutil.copytree(good, folder)
    model = onnx.load(folder / "encoder.onnx")
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = ["mean_alone" if name == "mean" else name for name in names]
    model.graph.node.extend(work(model, *more, of))
    (folder / "encoder.onnx").write_bytes(model.SerializeToString())
    return _signed(folder, "encoder.onnx")


def bomb(good: Path, folder: Path, name: str = "reference/intensity2/mean") -> Path:
    """A copy of a checkpoint's folder whose calibration unpacks to 400 MB more than it should, and is hardly larger.

    name: of the array that does so.
    """
    shutil.copytree(good, folder)
    with np.load(folder / "calibration.npz") as arrays:
        held = dict(arrays)
    np.savez_compressed(folder / "calibration.npz", **held, **{name: np.zeros((500, 1000, 800), np.int8)})
    return _signed(folder, "calibration.npz")


def _signed(folder: Path, name: str) -> Path:
    """With the digest of a file as it now is, as anyone can write it."""
    description = json.loads((folder / DESCRIPTION).read_text())
    description["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / DESCRIPTION).write_text(json.dumps(description))
    return folder


def workers(server: int) -> set[int]:
    """Processes that a process has begun to run graphs in."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == server and b"graph_worker" in (place / "cmdline").read_bytes():
                found.add(int(place.name))
    return found


def work(model: onnx.ModelProto, side: int, times: int, of: str) -> list[NodeProto]:
    """Nodes that give "mean" from "mean_alone" once they have done it; its weights are put into `model`."""

    def held(name: str, *values: float, kind: type = np.int64) -> str:
        model.graph.initializer.append(numpy_helper.from_array(np.array(values, kind), name))
        return name

    one, zero = held("one", 1), held("zero", 0)
    if of == "all":
        count = [make_node("Identity", [one], ["others"])]
    elif of == "images":
        count = [
            make_node("Shape", ["images"], ["shape"]),
            make_node("Gather", ["shape", zero], ["count"]),
            make_node("Sub", ["count", one], ["others"]),
        ]
    else:
        count = [
            make_node("Abs", ["images"], ["bright"]),
            make_node("ReduceMean", ["bright"], ["brightness"], keepdims=0),
            make_node("Reshape", ["brightness", one], ["as_row"]),
            make_node("Cast", ["as_row"], ["others"], to=onnx.TensorProto.INT64),
        ]
    return [
        *count,
        make_node("Mul", ["others", held("side", side)], ["longer"]),
        make_node("Add", ["longer", one], ["long"]),
        make_node("Concat", [one, one, "long", "long"], ["sizes"], axis=0),
        make_node("Slice", ["images", zero, one, zero], ["first"]),
        make_node("Resize", ["first", "", "", "sizes"], ["x0"], mode="nearest"),
        *(make_node("MatMul", [f"x{step}", f"x{step}"], [f"x{step + 1}"]) for step in range(times)),
        make_node("GlobalAveragePool", [f"x{times}"], ["pooled"]),
        make_node("Reshape", ["pooled", held("flat", 1, 1)], ["row"]),
        make_node("Mul", ["row", held("nothing", 0, kind=np.float32)], ["added"]),
        make_node("Add", ["mean_alone", "added"], ["mean"]),
    ]
