"""Loss terms against closed forms and slow references."""

import math

import pytest
import torch

from models import losses


def test_kl_of_a_shifted_unit_normal_is_half_the_squared_shift():
    assert losses.kl_to_standard_normal(torch.tensor([[3.0]]), torch.zeros(1, 1)).item() == pytest.approx(4.5)


def test_kl_agrees_with_torch_distributions():
    torch.manual_seed(0)
    mean, log_variance = torch.randn(4, 6), torch.randn(4, 6)
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(losses.kl_to_standard_normal(mean, log_variance), expected)


def test_bernoulli_error_of_even_odds_is_log_two_a_pixel():
    error = losses.bernoulli_error(torch.zeros(2, 1, 4, 4), torch.rand(2, 1, 4, 4) * 2 - 1)
    torch.testing.assert_close(error, torch.full((2,), 16 * math.log(2)))


def test_bernoulli_error_takes_minus_one_as_black_and_one_as_white():
    images = torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1)
    error = losses.bernoulli_error(torch.full((2, 1, 1, 1), math.log(3)), images)
    torch.testing.assert_close(error, torch.tensor([-math.log(0.25), -math.log(0.75)]))


def test_bernoulli_error_is_finite_for_certain_and_wrong_logits():
    assert losses.bernoulli_error(torch.full((1, 1, 1, 1), 1e4), -torch.ones(1, 1, 1, 1)).item() == 1e4


def test_squared_error_sums_over_the_pixels_of_each_image():
    reconstruction = torch.stack([torch.full((1, 3, 3), 2.0), torch.zeros(1, 3, 3)])
    assert losses.squared_error(reconstruction, torch.zeros(2, 1, 3, 3)).tolist() == [36, 0]


def test_squared_error_counts_pixels_by_their_weight():
    weight = torch.tensor([1.0, 0.5, 0.0]).view(1, 1, 1, 3)
    assert losses.squared_error(torch.ones(1, 1, 1, 3), torch.zeros(1, 1, 1, 3), weight).item() == 1.5


def test_activation_map_is_the_channel_mean_with_its_corners_in_place():
    stage = torch.rand(2, 5, 3, 3)
    maps = losses.activation_map(stage, 7)
    assert maps.shape == (2, 7, 7)
    torch.testing.assert_close(maps[:, ::6, ::6], stage.mean(1)[:, ::2, ::2])


def test_activation_map_of_a_ramp_is_a_ramp():
    ramp = torch.linspace(0, 1, 4).expand(1, 2, 4, 4)
    torch.testing.assert_close(losses.activation_map(ramp, 10)[0, 5], torch.linspace(0, 1, 10))


def half_mask(height=4, width=6):
    mask = torch.zeros(1, height, width, dtype=torch.bool)
    mask[:, :, : width // 2] = True
    return mask


def test_entropy_of_a_constant_map_is_the_log_of_the_pixels_in_the_mask():
    entropy = losses.attention_entropy(torch.full((1, 4, 6), 2.5), half_mask(), 0.1)
    assert entropy.item() == pytest.approx(math.log(12))


def test_entropy_of_two_pixels_is_that_of_a_coin():
    maps, mask = torch.tensor([[[0.0, math.log(3)]]]), torch.ones(1, 1, 2, dtype=torch.bool)
    expected = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert losses.attention_entropy(maps, mask).item() == pytest.approx(expected)


def test_entropy_ignores_what_lies_outside_the_mask():
    torch.manual_seed(0)
    maps, mask = torch.rand(1, 4, 6), half_mask()
    changed = torch.where(mask, maps, 1000.0)
    assert losses.attention_entropy(changed, mask).item() == losses.attention_entropy(maps, mask).item()


def test_entropy_falls_with_the_temperature_to_zero_for_a_single_peak():
    torch.manual_seed(0)
    maps, mask = torch.rand(1, 4, 6), half_mask()
    entropies = [losses.attention_entropy(maps, mask, t).item() for t in (10, 1, 0.1, 1e-4)]
    assert entropies == sorted(entropies, reverse=True)
    assert entropies[-1] == pytest.approx(0, abs=1e-6)


def test_entropy_and_its_gradient_are_finite_at_a_peak_and_zero_without_a_mask():
    maps = torch.zeros(2, 4, 6)
    maps[:, 0, 0] = 1e4
    maps.requires_grad_()
    mask = torch.cat([half_mask(), torch.zeros(1, 4, 6, dtype=torch.bool)])
    entropy = losses.attention_entropy(maps, mask, 0.01)
    entropy.sum().backward()
    assert entropy.tolist() == [0, 0]
    assert maps.grad.isfinite().all()


@pytest.mark.parametrize("sharpness", [1.0, 5.0, 10.0])
def test_the_barrier_meets_itself_at_the_joint_in_value_and_slope(sharpness):
    joint, step = -1 / sharpness**2, 1e-6
    z = torch.tensor([joint - step, joint + step], dtype=torch.float64, requires_grad=True)
    below, above = losses.log_barrier(z, sharpness)
    slopes = torch.autograd.grad(below + above, z)[0]
    assert (above - below).item() == pytest.approx(2 * step * sharpness, rel=1e-2)
    assert slopes.tolist() == pytest.approx([sharpness, sharpness], rel=1e-3)


def test_the_barrier_is_a_logarithm_inside_and_a_line_outside():
    inside, outside = losses.log_barrier(torch.tensor([-0.5, 2.0]), 10.0).tolist()
    assert inside == pytest.approx(math.log(2) / 10)
    assert outside == pytest.approx(20 + math.log(100) / 10 + 0.1)


def test_the_barrier_has_a_finite_gradient_everywhere():
    z = torch.tensor([-1e6, -1.0, -0.01, 0.0, 1.0, 1e6], requires_grad=True)
    losses.log_barrier(z, 10.0).sum().backward()
    torch.testing.assert_close(z.grad, torch.tensor([1e-7, 0.1, 10.0, 10.0, 10.0, 10.0]))


def test_the_size_constraint_of_a_zero_map_is_the_barrier_at_a_half_minus_the_proportion():
    value = losses.size_constraint(torch.zeros(1, 4, 6), half_mask(), 0.01, 10.0)
    torch.testing.assert_close(value, losses.log_barrier(torch.tensor([0.49]), 10.0))


def test_the_size_constraint_falls_when_attention_covers_the_mask_and_only_there():
    mask = half_mask()
    dark, lit = torch.zeros(1, 4, 6), torch.where(mask, 20.0, 0.0)
    elsewhere = torch.where(mask, 0.0, 20.0)
    assert losses.size_constraint(lit, mask) < losses.size_constraint(dark, mask)
    assert losses.size_constraint(elsewhere, mask) == losses.size_constraint(dark, mask)


def test_distance_from_the_centre_is_a_squared_length_for_each_image():
    mean = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    assert losses.distance_from_centre(mean).tolist() == [25.0, 0.0]
