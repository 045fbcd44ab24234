"""A trained network as two ONNX files, encoder (with its stages' outputs) and decoder, in float16 weights."""

import copy
import io
import warnings
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

from models.gradients import kl_gradient
from models.vae import VAE

OPSET = 17
GRAPHS = ("encoder.onnx", "decoder.onnx")  # these, STAGES and GRADIENT are the names that vaead_core.inference.vae reads
STAGES = ("stage1", "stage2", "stage3", "stage4")
GRADIENT = "kl_gradient"
Network = TypeVar("Network", bound=nn.Module)
ROUNDING = 2.0**-10  # float16's own relative step: more means overflow or values too small for it


class _Encoder(nn.Module):
    def __init__(self, network: VAE) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        mean, log_variance, stages = self.network.encode(images)
        return mean, log_variance, *stages, kl_gradient(self.network, images)


class _Decoder(nn.Module):
    def __init__(self, network: VAE) -> None:
        super().__init__()
        self.network = network

    def forward(self, latents: Tensor) -> Tensor:
        return self.network.decode(latents)


class _Whole(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor) -> Tensor:
        return self.network(inputs)


def export_onnx(network: VAE, folder: Path) -> None:
    """Writes encoder.onnx (images → mean, log_variance, stage1..stage4, kl_gradient) and decoder.onnx (latents → images).

    Batch size is free; computation is float32; only the stored matrices are float16. Initializers keep the
    names of the network's state dict, so `weights_from_onnx` can give them back. `network` is not changed.
    """
    network = _plain(network)
    images = torch.zeros(2, 1, network.image_size, network.image_size)
    latents = torch.zeros(2, network.latent_size)
    _write(_Encoder(network), images, "images", ("mean", "log_variance", *STAGES, GRADIENT), folder / GRAPHS[0])
    _write(_Decoder(network), latents, "latents", ("images",), folder / GRAPHS[1])


def export_graph(network: nn.Module, example: Tensor, name: str, output: str, path: Path) -> None:
    """Writes one graph from the input `name`, shaped as `example`, to `output`; weights and batch as in `export_onnx`."""
    network = _plain(network)
    _write(_Whole(network), example, name, (output,), path)


def weights_from_onnx(folder: Path) -> dict[str, Tensor]:
    """The state dict stored in a folder's two graphs, float32, without batch-norm counters."""
    weights = {}
    for name in GRAPHS:
        for tensor in onnx.load(folder / name).graph.initializer:
            if tensor.name.startswith("network."):
                values = numpy_helper.to_array(tensor).astype(np.float32)
                weights[tensor.name.removeprefix("network.")] = torch.from_numpy(values)
    return weights


def load_from_onnx(network: nn.Module, folder: Path) -> None:
    """Puts a folder's weights into `network`, every tensor of it; batch-norm counters keep their values.

    Raises RuntimeError (torch's own) when the folder holds another architecture.
    """
    own = network.state_dict()
    counters = {name: own[name] for name in own if name.endswith("num_batches_tracked")}
    network.load_state_dict(counters | weights_from_onnx(folder))


def _plain(network: Network) -> Network:
    """A copy in evaluation mode, float32 and laid out row by row."""
    copied = copy.deepcopy(network)
    return copied.to("cpu", torch.float32, memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]


def _write(graph: nn.Module, example: Tensor, name: str, outputs: tuple[str, ...], path: Path) -> None:
    buffer = io.BytesIO()
    graph.training = True  # this wrapper alone: the exporter merges equal tensors of a graph in eval mode
    with warnings.catch_warnings():
        for notice in ("You are using the legacy TorchScript", "The feature will be removed"):
            warnings.filterwarnings("ignore", notice, DeprecationWarning)
        torch.onnx.export(
            graph, (example,), buffer,  # type: ignore[arg-type]
            input_names=[name], output_names=list(outputs), opset_version=OPSET,
            dynamic_axes={tensor: {0: "batch"} for tensor in (name, *outputs)}, dynamo=False,
            do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE,
        )  # fmt: skip
    write_graph(buffer.getvalue(), path)


def write_graph(content: bytes, path: Path) -> None:
    """A serialised ONNX graph as a file, its matrices and kernels stored as float16."""
    model = onnx.load_model_from_string(content)
    _store_as_float16(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _store_as_float16(model: onnx.ModelProto) -> None:
    """Matrices and kernels become float16 initializers and a Cast; vectors (norms, biases) stay float32.

    So does a matrix that float16 cannot hold.
    """
    casts = []
    for tensor in model.graph.initializer:
        if len(tensor.dims) < 2 or tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        name, full = tensor.name, f"{tensor.name}.float32"
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            stored = values.astype(np.float16)
        if not np.abs(stored - values).max() <= ROUNDING * np.abs(values).max():
            continue
        tensor.CopyFrom(numpy_helper.from_array(stored, name))
        for node in model.graph.node:
            node.input[:] = [full if source == name else source for source in node.input]
        casts.append(helper.make_node("Cast", [name], [full], to=onnx.TensorProto.FLOAT, name=f"cast.{name}"))
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *rest])
