"""Losses, penalty and schedule of the GAN, against closed forms."""

import io
import math

import numpy as np
import pytest
import torch
from torch import nn

from stages.gan.losses import LOSSES, gradient_penalty
from stages.gan.params import GanParams
from stages.gan.train import anchor_loss, rate, set_rate
from stages.lib.params import UserError, parse, read_yaml


@pytest.mark.parametrize(
    ("name", "wanted_d", "wanted_g"),
    [
        # real logits (2, 0), fake logits (-1, 0.5)
        (
            "bce",
            -(math.log(1 / (1 + math.exp(-2))) + math.log(0.5)) / 2
            - (math.log(1 - 1 / (1 + math.exp(1))) + math.log(1 - 1 / (1 + math.exp(-0.5)))) / 2,
            -(math.log(1 / (1 + math.exp(1))) + math.log(1 / (1 + math.exp(-0.5)))) / 2,
        ),
        ("hinge", (0 + 1) / 2 + (0 + 1.5) / 2, (1 - 0.5) / 2),
        ("wgan-gp", -0.25 - 1.0, 0.25),
    ],
)
def test_losses_are_those_of_their_papers(name, wanted_d, wanted_g):
    real, fake = torch.tensor([[2.0], [0.0]]), torch.tensor([[-1.0], [0.5]])
    assert LOSSES[name].discriminator(real, fake).item() == pytest.approx(wanted_d, rel=1e-5)
    assert LOSSES[name].generator(fake).item() == pytest.approx(wanted_g, rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_pulls_the_right_way(name):
    """Descent raises D(real), lowers D(fake), and makes the generator raise D(fake)."""
    real, fake = torch.zeros(4, 1, requires_grad=True), torch.zeros(4, 1, requires_grad=True)
    LOSSES[name].discriminator(real, fake).backward()
    assert (real.grad < 0).all() and (fake.grad > 0).all()
    fake.grad = None
    LOSSES[name].generator(fake).backward()
    assert (fake.grad < 0).all()


def test_gradient_penalty_of_a_linear_critic():
    """For D(x) = w · x the gradient is w everywhere, so the penalty is (|w| - 1)^2."""
    critic = nn.Sequential(nn.Flatten(), nn.Linear(12, 1))
    norm = critic[1].weight.norm().item()
    penalty = gradient_penalty(critic, torch.rand(5, 3, 2, 2), torch.rand(5, 3, 2, 2))
    assert penalty.item() == pytest.approx((norm - 1) ** 2, rel=1e-4)


def test_the_generator_waits_then_rises_then_falls():
    rates = [rate(step, alone=10, ramp=20, steps=100) for step in range(100)]
    assert rates[:10] == [0.0] * 10
    assert np.all(np.diff(rates[10:25]) > 0)
    assert np.all(np.diff(rates[30:]) < 0)
    assert rates[-1] == pytest.approx(0.05, abs=0.01)
    assert rate(0, 0, 0, 100) == 1.0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"latent": "normal"}, "latent normal needs init random"),
        ({"generator": "dcgan"}, "generator dcgan needs init random"),
        ({"alone_kimg": 1000.0}, "must be less than kimg"),
        ({"loss": "hinged"}, "must be one of bce, hinge, wgan-gp"),
        ({"augment": ["flop"]}, "must be one of"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(change, says):
    section = read_yaml("params.yaml")["gan"] | change
    with pytest.raises(UserError, match=says) as error:
        parse("gan", section, GanParams)
    assert "\n" not in str(error.value)


def test_rates_survive_a_checkpoint():
    """A checkpoint is loaded without pickle's classes: a numpy number in it could not be read."""
    optimiser = torch.optim.Adam([torch.zeros(1, requires_grad=True)])
    set_rate(optimiser, 1e-3 * rate(5, 0, 0, 10))
    buffer = io.BytesIO()
    torch.save(optimiser.state_dict(), buffer)
    buffer.seek(0)
    assert torch.load(buffer, weights_only=True)["param_groups"][0]["lr"] == pytest.approx(1e-3 * rate(5, 0, 0, 10))


def test_the_anchor_looks_at_shrunk_pictures_alone():
    x = torch.rand(2, 3, 16, 16)
    detail = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(8, 8) * 0.2
    assert anchor_loss(x + detail, x, 8).item() == pytest.approx(0, abs=1e-6)
    assert anchor_loss(x + 0.5, x, 8).item() == pytest.approx(0.5, abs=1e-6)
