"""Losses, penalties and schedules of the GAN, against closed forms."""

import math

import pytest
import torch
from torch import nn

from creatures.adversarial.losses import LOSSES
from creatures.adversarial.penalties import PENALTIES, LeCam, gp


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
        ("wgan", -0.25 - 1.0, 0.25),
        ("wgan-gp", -0.25 - 1.0, 0.25),
        # labels 0.95 and 0.05; -(t log s(x) + (1 - t) log(1 - s(x))) = softplus(x) - t x
        (
            "bce-smooth",
            (math.log(1 + math.exp(2)) - 0.95 * 2 + math.log(2)) / 2
            + (math.log(1 + math.exp(-1)) + 0.05 + math.log(1 + math.exp(0.5)) - 0.05 * 0.5) / 2,
            -(math.log(1 / (1 + math.exp(1))) + math.log(1 / (1 + math.exp(-0.5)))) / 2,
        ),
        # pairs: real - fake is (3, -0.5)
        (
            "rpgan",
            (math.log(1 + math.exp(-3)) + math.log(1 + math.exp(0.5))) / 2,
            (math.log(1 + math.exp(3)) + math.log(1 + math.exp(-0.5))) / 2,
        ),
    ],
)
def test_losses_are_those_of_their_papers(name, wanted_d, wanted_g):
    real, fake = torch.tensor([[2.0], [0.0]]), torch.tensor([[-1.0], [0.5]])
    assert LOSSES[name].discriminator(real, fake).item() == pytest.approx(wanted_d, rel=1e-5)
    logits = fake - real if LOSSES[name].paired else fake
    assert LOSSES[name].generator(logits).item() == pytest.approx(wanted_g, rel=1e-5)


def test_soft_labels_are_random_and_near_the_hard_ones():
    torch.manual_seed(0)
    real, fake = torch.full((4000, 1), 2.0), torch.full((4000, 1), -1.0)
    mean = LOSSES["bce-soft"].discriminator(real, fake).item()
    # softplus(x) - t x with E[t] = 0.95 for real, 0.05 for fake
    assert mean == pytest.approx(math.log(1 + math.exp(2)) - 1.9 + math.log(1 + math.exp(-1)) + 0.05, abs=0.01)
    assert LOSSES["bce-soft"].generator(fake[:1]).item() != LOSSES["bce-soft"].generator(fake[:1]).item()


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_pulls_the_right_way(name):
    """Descent raises D(real), lowers D(fake), and makes the generator raise D(fake)."""
    real, fake = torch.zeros(4, 1, requires_grad=True), torch.zeros(4, 1, requires_grad=True)
    LOSSES[name].discriminator(real, fake).backward()
    assert (real.grad < 0).all() and (fake.grad > 0).all()
    fake.grad = None
    LOSSES[name].generator(fake).backward()
    assert (fake.grad < 0).all()


@pytest.mark.parametrize("name", PENALTIES)
def test_penalties_of_a_linear_critic(name):
    """For D(x) = w · x the gradient is w everywhere: (|w| - 1)^2 for gp, |w|^2 / 2 for r1 and r2."""
    critic = nn.Sequential(nn.Flatten(), nn.Linear(12, 1))
    norm = critic[1].weight.norm().item()
    real, fake = ([torch.rand(5, 3, 2, 2)] for _ in range(2))
    penalty = PENALTIES[name](lambda x: critic(x[0]), real, fake)
    assert penalty.item() == pytest.approx((norm - 1) ** 2 if name == "gp" else norm**2 / 2, rel=1e-4)
    penalty.backward()
    assert critic[1].weight.grad.abs().sum() > 0


def test_r1_is_at_real_and_r2_at_fake_pictures():
    """For D(x) = |x|^2 / 2 the gradient is x."""

    def half_square(x):
        return x[0].square().sum((1, 2, 3)).unsqueeze(1) / 2

    real, fake = [torch.full((2, 3, 1, 1), 1.0)], [torch.full((2, 3, 1, 1), 2.0)]
    found = {name: PENALTIES[name](half_square, real, fake).item() for name in ("r1", "r2")}
    assert found["r1"] == pytest.approx(3 / 2)
    assert found["r2"] == pytest.approx(12 / 2)


def test_gp_is_between_real_and_fake_pictures():
    """For D(x) = |x|^2 / 2, real 1 and fake 3 in each of 3 channels: E[(sqrt(3) v - 1)^2], v uniform in [1, 3]."""
    torch.manual_seed(0)
    real, fake = [torch.full((20000, 3, 1, 1), 1.0)], [torch.full((20000, 3, 1, 1), 3.0)]
    found = gp(lambda x: x[0].square().sum((1, 2, 3)).unsqueeze(1) / 2, real, fake).item()
    assert found == pytest.approx(3 * 13 / 3 - 2 * 3**0.5 * 2 + 1, rel=0.02)


def test_penalties_add_up_over_the_sizes_of_a_picture():
    critic = nn.Sequential(nn.Flatten(), nn.Linear(12, 1))
    norm = critic[1].weight.norm().item()
    real = [torch.rand(5, 3, 2, 2), torch.rand(5, 3, 2, 2)]
    found = gp(lambda x: critic(x[0]) + critic(x[1]), real, real).item()
    assert found == pytest.approx((2**0.5 * norm - 1) ** 2, rel=1e-4)


def test_lecam_is_the_distance_from_the_others_average():
    """Head by head; from constant logits a and b the averages are a and b, and it is 2 (a - b)^2."""
    real, fake = torch.tensor([[2.0, 5.0]] * 4), torch.tensor([[-1.0, 5.0]] * 4)
    lecam = LeCam()
    for _ in range(3):
        assert lecam(real, fake).item() == pytest.approx((2 * 3**2 + 0) / 2)
    resumed = LeCam()
    resumed.load_state_dict(lecam.state_dict())
    assert resumed(real, fake) == lecam(real, fake)
    assert lecam.averages[0][0].item() == pytest.approx(2, abs=0.02)  # an average of a hundred batches moves slowly
