"""ONNX files: the same numbers as torch, weights that come back, nothing lost to float16."""

import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import models
from models.export import GRADIENT, GRAPHS, STAGES, export_onnx, load_from_onnx, weights_from_onnx
from models.gradients import kl_gradient

SIMPLE = {"name": "simple_vae", "image_size": 32, "latent_size": 3}
RESNET = {"name": "constrained_vae", "image_size": 64, "latent_size": 5, "width": 8, "stem": "resnet"}
ALL = [SIMPLE, RESNET, RESNET | {"stem": "uas", "image_size": 48}]


def trained(architecture, seed=0):
    """A network whose batch norms have seen data and whose matrices float16 holds exactly."""
    torch.manual_seed(seed)
    network = models.build(architecture)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.ndim == 1:
                weight.add_(0.1 * torch.randn_like(weight))
            weight.copy_(weight.half() if weight.ndim > 1 else weight)
        for _ in range(3):
            network(images_for(network, 8), torch.randn(8, network.latent_size))
    return network.eval()


def images_for(network, count):
    return torch.rand(count, 1, network.image_size, network.image_size) * 2 - 1


def run(folder, name, **inputs):
    session = onnxruntime.InferenceSession(folder / name, providers=["CPUExecutionProvider"])
    return session.run(None, {key: value.numpy() for key, value in inputs.items()})


@pytest.mark.parametrize("architecture", ALL)
@pytest.mark.parametrize("batch", [1, 5])
def test_onnx_runtime_computes_what_torch_computes(architecture, batch, tmp_path):
    network = trained(architecture)
    export_onnx(network, tmp_path)
    images, latents = images_for(network, batch), torch.randn(batch, network.latent_size)
    with torch.no_grad():
        mean, log_variance, stages = network.encode(images)
        expected = [mean, log_variance, *stages, kl_gradient(network, images), network.decode(latents)]
    found = run(tmp_path, "encoder.onnx", images=images) + run(tmp_path, "decoder.onnx", latents=latents)
    assert len(found) == 8
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("architecture", ALL)
def test_weights_come_back_from_disk_into_a_new_network(architecture, tmp_path):
    network = trained(architecture)
    export_onnx(network, tmp_path)
    other = trained(architecture, seed=1)
    load_from_onnx(other, tmp_path)
    for name, value in network.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(other.state_dict()[name], value), name


@pytest.mark.parametrize("architecture", ALL)
def test_equal_tensors_of_an_untrained_network_all_come_back(architecture, tmp_path):
    network = models.build(architecture)
    export_onnx(network, tmp_path)
    names = {name for name in network.state_dict() if not name.endswith("num_batches_tracked")}
    assert set(weights_from_onnx(tmp_path)) == names


def test_another_architecture_refuses_the_weights(tmp_path):
    export_onnx(models.build(SIMPLE), tmp_path)
    with pytest.raises(RuntimeError, match="Missing key"):
        load_from_onnx(models.build(RESNET), tmp_path)


def test_graphs_name_their_inputs_and_outputs_and_leave_the_batch_free(tmp_path):
    export_onnx(models.build(RESNET), tmp_path)
    encoder, decoder = (onnx.load(tmp_path / name).graph for name in GRAPHS)
    assert [tensor.name for tensor in encoder.input] == ["images"]
    assert [tensor.name for tensor in encoder.output] == ["mean", "log_variance", *STAGES, GRADIENT]
    assert [tensor.name for tensor in [*decoder.input, *decoder.output]] == ["latents", "images"]
    for tensor in [*encoder.input, *encoder.output, *decoder.input, *decoder.output]:
        assert tensor.type.tensor_type.shape.dim[0].dim_param == "batch"


def test_matrices_are_stored_in_half_precision_and_vectors_in_full(tmp_path):
    export_onnx(models.build(RESNET), tmp_path)
    for name in GRAPHS:
        for tensor in onnx.load(tmp_path / name).graph.initializer:
            if tensor.name.startswith("network."):
                half = tensor.data_type == onnx.TensorProto.FLOAT16
                assert half == (len(tensor.dims) > 1), tensor.name
                assert not tensor.external_data


@pytest.mark.parametrize("scale", [1e7, 1e-9])
def test_a_matrix_beyond_half_precision_stays_whole(scale, tmp_path):
    network = trained(SIMPLE)
    with torch.no_grad():
        network.mean.weight.mul_(scale)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        export_onnx(network, tmp_path)
    assert torch.equal(weights_from_onnx(tmp_path)["mean.weight"], network.mean.weight)


def test_the_same_network_gives_the_same_bytes(tmp_path):
    network = trained(RESNET)
    contents = []
    for _ in range(2):
        export_onnx(network, tmp_path)
        contents.append([(tmp_path / name).read_bytes() for name in GRAPHS])
    assert contents[0] == contents[1]


def test_export_leaves_the_network_as_it_was(tmp_path):
    network = trained(SIMPLE).train().to(memory_format=torch.channels_last)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    export_onnx(network, tmp_path)
    assert all(module.training for module in network.modules())
    assert network.stages[1][0].weight.is_contiguous(memory_format=torch.channels_last)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_training_network_is_exported_in_evaluation_mode(tmp_path):
    network = trained(RESNET).train()
    export_onnx(network, tmp_path)
    images = images_for(network, 5)
    with torch.no_grad():
        expected = network.eval().encode(images)[0]
    found = run(tmp_path, "encoder.onnx", images=images)[0]
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4, rtol=1e-5)
