"""Networks: shapes, strides, determinism, refusals."""

import pytest
import torch
from torch.nn import functional

import models
from models.constrained_vae import _ResidualUp

SIMPLE = {"name": "simple_vae", "image_size": 32, "latent_size": 3}
RESNET = {"name": "constrained_vae", "image_size": 64, "latent_size": 5, "width": 8, "stem": "resnet"}
UAS = RESNET | {"stem": "uas"}
SPATIAL = UAS | {"name": "spatial_vae", "latent_size": 32}
ALL = [SIMPLE, RESNET, UAS, UAS | {"width": 12, "image_size": 48}, SPATIAL]


def network_and_images(architecture, count=3):
    torch.manual_seed(0)
    network = models.build(architecture).eval()
    size = network.image_size
    return network, torch.rand(count, 1, size, size) * 2 - 1


@pytest.mark.parametrize("architecture", ALL)
def test_forward_returns_an_image_a_posterior_and_four_stages(architecture):
    network, images = network_and_images(architecture)
    latent_size = architecture["latent_size"]
    reconstruction, mean, log_variance, stages = network(images, torch.randn(3, latent_size))
    assert reconstruction.shape == images.shape
    assert mean.shape == log_variance.shape == (3, latent_size)
    assert len(stages) == 4
    assert (network.image_size, network.latent_size) == (architecture["image_size"], latent_size)


@pytest.mark.parametrize(("architecture", "strides"), [(SIMPLE, [2, 4, 8, 16]), (RESNET, [4, 8, 16, 32]), (UAS, [2, 4, 8, 16])])
def test_each_stage_halves_the_grid_from_the_stride_of_its_stem(architecture, strides):
    network, images = network_and_images(architecture)
    stages = network.encode(images)[2]
    assert [network.image_size // stage.shape[-1] for stage in stages] == strides


@pytest.mark.parametrize(("stem", "seed_channels"), [("resnet", 512), ("uas", 256)])
def test_full_width_has_the_channels_of_resnet_18_and_of_the_official_decoder(stem, seed_channels):
    with torch.device("meta"):
        network = models.build({"name": "constrained_vae", "image_size": 96, "stem": stem})
    convolutions = {name: weight.shape for name, weight in network.named_parameters() if weight.ndim == 4}
    assert [convolutions[f"stages.{stage}.1.body.3.weight"][0] for stage in range(4)] == [64, 128, 256, 512]
    assert network.expand.out_features == seed_channels * network.grid**2
    assert convolutions["to_image.weight"] == (1, 16, 3, 3)


def test_a_narrow_decoder_keeps_at_least_eight_channels():
    assert models.build(RESNET).to_image.in_channels == 8


def test_the_encoder_body_has_the_parameters_of_resnet_18():
    with torch.device("meta"):
        network = models.build({"name": "constrained_vae", "image_size": 32})
    body = [*network.stem.parameters(), *network.stages.parameters()]
    assert sum(weight.numel() for weight in body) == 11_689_512 - 513_000 - 2 * 64 * 49  # no head, one colour


@pytest.mark.parametrize("architecture", [RESNET, UAS])
def test_residual_stages_are_never_negative(architecture):
    network, images = network_and_images(architecture)
    assert all(stage.min() >= 0 for stage in network.encode(images)[2])


@pytest.mark.parametrize("architecture", ALL)
def test_an_image_is_encoded_the_same_alone_and_in_a_batch(architecture):
    network, images = network_and_images(architecture)
    together, alone = network.encode(images)[0][1:2], network.encode(images[1:2])[0]
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


def test_a_spatial_latent_has_channels_at_each_place_of_the_last_stage():
    with pytest.raises(ValueError, match="latent_size must be a multiple of 16, the places of the last stage, got 30"):
        models.build(SPATIAL | {"latent_size": 30})
    network, images = network_and_images(SPATIAL, 1)
    moved = images.clone()
    moved[..., :16, :16] = 0
    changed = (network.encode(moved)[0] - network.encode(images)[0]).detach().view(2, 4, 4).abs().sum(0)
    assert changed[0, 0] > changed[3, 3]


@pytest.mark.parametrize("architecture", [RESNET, UAS])
def test_without_noise_the_mean_is_decoded(architecture):
    network, images = network_and_images(architecture)
    reconstruction, mean, _, _ = network(images, torch.zeros(3, network.latent_size))
    torch.testing.assert_close(reconstruction, network.decode(mean))


def test_noise_is_scaled_by_the_posterior_deviation():
    network, images = network_and_images(RESNET)
    noise = torch.randn(3, network.latent_size)
    reconstruction, mean, log_variance, _ = network(images, noise)
    torch.testing.assert_close(reconstruction, network.decode(mean + noise * log_variance.exp().sqrt()))


def test_the_simple_vae_trains_on_logits_and_decodes_them_to_images():
    network, images = network_and_images(SIMPLE)
    logits, mean, _, _ = network(images, torch.zeros(3, 3))
    decoded = network.decode(mean)
    torch.testing.assert_close(decoded, torch.tanh(logits / 2))
    assert decoded.abs().max() <= 1


@pytest.mark.parametrize("architecture", [SIMPLE, RESNET])
def test_the_log_variance_stays_finite_for_absurd_input(architecture):
    network, images = network_and_images(architecture)
    with torch.no_grad():
        network.log_variance.weight.mul_(1e6)
    log_variance = network.encode(images)[1]
    assert log_variance.abs().max() == 10


@pytest.mark.parametrize("architecture", [SIMPLE, RESNET, UAS, SPATIAL])
def test_every_parameter_receives_a_gradient(architecture):
    network, images = network_and_images(architecture)
    reconstruction, mean, log_variance, _ = network.train()(images, torch.randn(3, network.latent_size))
    (reconstruction.square().sum() + mean.square().sum() + log_variance.square().sum()).backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "gan"}, "architecture must be one of .*got 'gan'"),
        ({"name": ["uas"]}, "architecture must be one of"),
        ({"stem": "vgg"}, "stem must be resnet or uas, got 'vgg'"),
        ({"stem": None}, "stem must be resnet or uas, got None"),
        ({"image_size": 80}, "multiple of 32 for stem resnet, got 80"),
        ({"image_size": 72, "stem": "uas"}, "multiple of 16 for stem uas, got 72"),
        ({"image_size": 0}, "image_size must be an integer of at least 1, got 0"),
        ({"image_size": 96.0}, "image_size must be an integer of at least 1, got 96.0"),
        ({"latent_size": -1}, "latent_size must be an integer of at least 1, got -1"),
        ({"width": 0}, "width must be an integer of at least 1, got 0"),
        ({"depth": 18}, "settings of constrained_vae must be among .*got 'depth'"),
    ],
)
def test_a_bad_architecture_is_refused_with_the_rule_and_the_value(change, message):
    with pytest.raises(ValueError, match=message):
        models.build(RESNET | change)


def test_the_simple_vae_refuses_a_size_its_four_halvings_do_not_divide():
    with pytest.raises(ValueError, match="multiple of 16, got 28"):
        models.build(SIMPLE | {"image_size": 28})


def test_an_architecture_without_a_name_is_refused():
    with pytest.raises(ValueError, match="got None"):
        models.build({"image_size": 32})


def test_build_leaves_the_config_unchanged():
    config = dict(SIMPLE)
    models.build(config)
    assert config == SIMPLE


@pytest.mark.parametrize("outputs", [8, 16], ids=["a projection", "none"])
def test_a_block_that_upsamples_computes_what_upsampling_and_a_basic_block_do(outputs):
    """In training: values, gradients of all weights, and what its batch norms keep."""
    torch.manual_seed(0)
    ours, plain = _ResidualUp(16, outputs).double(), _ResidualUp(16, outputs).double()
    plain.load_state_dict(ours.state_dict())
    images = torch.randn(4, 16, 6, 6, dtype=torch.double)
    given = [images.clone().requires_grad_() for _ in range(2)]
    values = ours(given[0]), plain.block(functional.interpolate(given[1], scale_factor=2.0))
    for one in values:
        one.square().sum().backward()
    torch.testing.assert_close(*values)
    torch.testing.assert_close(given[0].grad, given[1].grad)
    for one, other in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    torch.testing.assert_close(ours.state_dict(), plain.state_dict())
