"""Losses, penalties and schedules of the GAN, against closed forms."""

import io
import math

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn

from creatures.adversarial.losses import LOSSES
from creatures.adversarial.penalties import PENALTIES, LeCam, gp
from creatures.data.pictures import Pictures
from creatures.runtime.config import changed, parse, read_yaml
from creatures.runtime.errors import UserError
from creatures.training import schedules
from creatures.training.schedules import AdaptiveP, blur, linear_decay, lr_factor, set_lr
from stages.gan.classes import species_labels
from stages.gan.params import GanParams
from stages.gan.train import anchor_loss


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


def test_the_generator_waits_then_rises_then_falls():
    rates = [lr_factor(step, d_warmup=10, g_warmup=20, steps=100, schedule="cosine") for step in range(100)]
    assert rates[:10] == [0.0] * 10
    assert np.all(np.diff(rates[10:25]) > 0)
    assert np.all(np.diff(rates[30:]) < 0)
    assert rates[-1] == pytest.approx(0.05, abs=0.01)
    assert lr_factor(0, 0, 0, 100, "linear") == lr_factor(99, 0, 0, 100, "constant") == 1.0
    assert lr_factor(50, 0, 0, 100, "linear") == pytest.approx(0.525)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"latent": "normal"}, "latent normal needs init random"),
        ({"generator.name": "dcgan"}, "generator dcgan needs init random"),
        ({"handover.d_warmup_kimg": 1000.0}, "must be less than kimg"),
        ({"loss": "hinged"}, "must be one of bce, bce-smooth, bce-soft, hinge, rpgan, wgan, wgan-gp"),
        ({"msg": True}, "discriminator projected knows no msg"),
        ({"discriminator.attention_px": 32}, "gan.discriminator: projected knows no attention_px"),
        ({"condition": "species"}, "condition species needs latent normal"),
        ({"condition": "component", "discriminator.name": "shallow"}, "shallow knows no condition"),
        ({"discriminator.name": "dcgan"}, "discriminator dcgan takes no embedding: set condition to none"),
        ({"generator.kernel_size": 5}, "gan.generator: first_px and kernel_size other than 4 need name dcgan"),
        (
            {"discriminator.name": "dcgan", "condition": "none", "loss": "wgan-gp"},
            "need discriminator.norm none or spectral",
        ),
        ({"handover.blur": 2.0}, "blur and blur_kimg"),
        ({"augment.target": 0.6}, "gan.augment: with a target, p is where it starts: at most 0.8"),
        ({"augment.target": 0.6, "augment.p": 0.0, "condition": "none", "loss": "rpgan"}, "logits have a fixed zero"),
        ({"condition": "component", "loss": "rpgan"}, "rpgan pairs pictures of different classes"),
        ({"augment.ops": ["flop"]}, "must be one of"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(change, says):
    section = changed(read_yaml("params.yaml")["gan"], change)
    with pytest.raises(UserError, match=says) as error:
        parse("gan", section, GanParams)
    assert "\n" not in str(error.value)


def test_rates_survive_a_checkpoint():
    """A checkpoint is loaded without pickle's classes: a numpy number in it could not be read."""
    optimiser = torch.optim.Adam([torch.zeros(1, requires_grad=True)])
    set_lr(optimiser, 1e-3 * lr_factor(5, 0, 0, 10, "cosine"))
    buffer = io.BytesIO()
    torch.save(optimiser.state_dict(), buffer)
    buffer.seek(0)
    assert torch.load(buffer, weights_only=True)["param_groups"][0]["lr"] == pytest.approx(
        1e-3 * lr_factor(5, 0, 0, 10, "cosine")
    )


def test_the_anchor_looks_at_shrunk_pictures_alone():
    x = torch.rand(2, 3, 16, 16)
    detail = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(8, 8) * 0.2
    assert anchor_loss(x + detail, x, 8).item() == pytest.approx(0, abs=1e-6)
    assert anchor_loss(x + 0.5, x, 8).item() == pytest.approx(0.5, abs=1e-6)


def test_augmentation_grows_while_real_pictures_are_told_too_well_and_shrinks_when_not():
    """In steps of 4 batches x 10 pictures / 1 kimg, held between 0 and 0.8."""
    adaptive, sure, unsure = AdaptiveP(0.0, 0.6, 1.0), torch.tensor(1.0), torch.tensor(0.0)
    for _ in range(4):
        adaptive.update(sure, 10)
    assert adaptive.p == pytest.approx(0.04)
    for _ in range(400):
        adaptive.update(sure, 10)
    assert adaptive.p == pytest.approx(0.8)
    for _ in range(4):
        adaptive.update(unsure, 10)
    assert adaptive.p == pytest.approx(0.76)
    restored = AdaptiveP(0.0, 0.6, 1.0)
    restored.load_state_dict(adaptive.state_dict())
    assert restored.p == adaptive.p


def test_augmentation_follows_what_all_processes_see(monkeypatch):
    monkeypatch.setattr(schedules, "all_reduce_mean", lambda sign: sign / 2 + 0.5)
    adaptive = AdaptiveP(0.4, 0.6, 1.0)
    for _ in range(4):
        adaptive.update(torch.tensor(0.3), 10)
    assert adaptive.p == pytest.approx(0.44)


def test_a_fixed_probability_stays():
    adaptive = AdaptiveP(0.7, 0.0, 1.0)
    for _ in range(8):
        adaptive.update(torch.tensor(1.0), 10)
    assert adaptive.p == 0.7


def test_what_fades_is_gone_when_its_span_is_over_and_without_one_it_stays():
    assert [linear_decay(4.0, done, 2.0) for done in (0.0, 0.5, 2.0, 3.0)] == [4.0, 3.0, 0.0, 0.0]
    assert linear_decay(4.0, 3.0, 0.0) == 4.0


def test_blur_keeps_the_mean_and_the_background_and_takes_detail():
    x = torch.ones(1, 3, 32, 32)
    x[..., 12:20, 12:20] = torch.tensor([1.0, -1.0]).repeat(4).expand(8, 8)
    (blurred,) = blur([x], 2.0)
    assert blurred.mean().item() == pytest.approx(x.mean().item(), abs=1e-5)
    assert blurred[..., 16, 15:17].std() < 0.1 < x[..., 16, 15:17].std()
    assert torch.allclose(blurred[..., 0, 0], torch.ones(1, 3))
    assert blur([x], 0.1)[0] is x


def test_classes_are_the_species_of_train_and_the_others_are_unknown():
    index = pa.table({"label": [7, 7, 3, 5, -1], "split": ["train", "train", "train", "test", "train"]})
    labels, shares = species_labels(Pictures(np.zeros((5, 3, 4, 4), np.uint8), index))
    assert labels.tolist() == [1, 1, 0, -1, -1]
    assert shares == pytest.approx([1 / 3, 2 / 3])


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
