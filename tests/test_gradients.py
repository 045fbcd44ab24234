import numpy as np
import onnx
import pytest
import torch
from torch import nn

import models
from models.export import export_onnx, load_from_onnx
from models.gradients import forward_with_pullback, kl_gradient
from models.losses import kl_to_standard_normal
from tests.test_models import RESNET, SIMPLE, SPATIAL, UAS
from vaead_core.checkpoints.untrusted import check_graph
from vaead_core.inference.vae import GRADIENT, OnnxVAE


@pytest.fixture(params=[SIMPLE, RESNET, UAS, SPATIAL], ids=["simple", "resnet", "uas", "spatial"])
def network(request):
    """With running statistics that have seen images, so that its norms do something."""
    torch.manual_seed(0)
    network = models.build(request.param)
    for _ in range(3):
        network(torch.randn(8, 1, network.image_size, network.image_size), torch.zeros(8, network.latent_size))
    return network.eval()


@pytest.fixture
def images(network):
    return torch.randn(3, 1, network.image_size, network.image_size, generator=torch.Generator().manual_seed(1))


def automatic(network, images):
    images = images.clone().requires_grad_()
    mean, log_variance, _ = network.encode(images)
    kl_to_standard_normal(mean, log_variance).sum().backward()
    return images.grad


def test_the_gradient_is_that_of_automatic_differentiation(network, images):
    expected = automatic(network, images)
    found = kl_gradient(network, images).detach()
    assert float((found - expected).abs().max()) < 1e-5 * float(expected.abs().max())


def test_the_exported_gradient_is_the_network_s(network, images, tmp_path):
    export_onnx(network, tmp_path)
    found = OnnxVAE.read(tmp_path).kl_gradient(images[:, 0].numpy())
    load_from_onnx(network, tmp_path)  # the weights as they are stored, in float16
    expected = automatic(network, images)[:, 0].numpy()
    assert np.abs(found - expected).max() < 1e-3 * np.abs(expected).max()
    check_graph((tmp_path / "encoder.onnx").read_bytes(), "encoder.onnx")
    assert onnx.load(tmp_path / "encoder.onnx").graph.output[-1].name == GRADIENT


def test_beyond_the_bound_of_the_log_variance_it_has_no_part(network, images):
    absurd = 1e4 * images
    expected = automatic(network, absurd)
    assert torch.allclose(kl_gradient(network, absurd).detach(), expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max()))


def test_a_module_that_no_encoder_has_is_refused():
    with pytest.raises(TypeError, match="no pullback of Tanh"):
        forward_with_pullback(nn.Tanh(), torch.zeros(1))
