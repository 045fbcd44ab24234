"""A trained network as two ONNX files: encoder with its stages' outputs, decoder. Weights are stored as float16."""

import io
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor, nn

OPSET = 17
STAGES = ("stage1", "stage2", "stage3", "stage4")


class _Encoder(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        mean, log_variance, stages = self.network.encode(images)
        return mean, log_variance, *stages


class _Decoder(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, latents: Tensor) -> Tensor:
        return self.network.decode(latents)


def export_onnx(network: nn.Module, folder: Path) -> None:
    """Writes encoder.onnx (images → mean, log_variance, stage1..stage4) and decoder.onnx (latents → images).

    Batch size is free; computation is float32; only the stored matrices are float16. Initializers keep the names
    of the network's state dict, so `weights_from_onnx` can give them back.
    """
    network = network.to("cpu", torch.float32, memory_format=torch.contiguous_format).eval()
    images = torch.zeros(2, 1, network.image_size, network.image_size)
    latents = torch.zeros(2, network.latent_size)
    _write(_Encoder(network), images, "images", ("mean", "log_variance", *STAGES), folder / "encoder.onnx")
    _write(_Decoder(network), latents, "latents", ("images",), folder / "decoder.onnx")


def weights_from_onnx(folder: Path) -> dict[str, Tensor]:
    """The state dict stored in a folder's two graphs, float32, without batch-norm counters."""
    weights = {}
    for name in ("encoder.onnx", "decoder.onnx"):
        for tensor in onnx.load(folder / name).graph.initializer:
            if tensor.name.startswith("network."):
                values = numpy_helper.to_array(tensor).astype(np.float32)
                weights[tensor.name.removeprefix("network.")] = torch.from_numpy(values)
    return weights


def _write(graph: nn.Module, example: Tensor, name: str, outputs: tuple[str, ...], path: Path) -> None:
    buffer = io.BytesIO()
    torch.onnx.export(
        graph, (example,), buffer, input_names=[name], output_names=list(outputs), opset_version=OPSET, dynamo=False,
        dynamic_axes={tensor: {0: "batch"} for tensor in (name, *outputs)},
        do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE,
    )  # fmt: skip
    model = onnx.load_model_from_string(buffer.getvalue())
    _store_as_float16(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _store_as_float16(model: onnx.ModelProto) -> None:
    """Matrices and kernels become float16 initializers and a Cast; vectors (norms, biases) stay float32."""
    casts = []
    for tensor in model.graph.initializer:
        if len(tensor.dims) < 2 or tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        name, stored = tensor.name, f"{tensor.name}"
        full = f"{name}.float32"
        values = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(values, stored))
        for node in model.graph.node:
            node.input[:] = [full if source == name else source for source in node.input]
        casts.append(helper.make_node("Cast", [stored], [full], to=onnx.TensorProto.FLOAT, name=f"cast.{name}"))
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *rest])
