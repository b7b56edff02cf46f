"""Learning rates, and what grows or fades as training goes on."""

import io

import numpy as np
import pytest
import torch

from creatures.training import schedules
from creatures.training.schedules import AdaptiveP, blur, linear_decay, lr_factor, set_lr


def test_the_generator_waits_then_rises_then_falls():
    rates = [lr_factor(step, d_warmup=10, g_warmup=20, steps=100, schedule="cosine") for step in range(100)]
    assert rates[:10] == [0.0] * 10
    assert np.all(np.diff(rates[10:25]) > 0)
    assert np.all(np.diff(rates[30:]) < 0)
    assert rates[-1] == pytest.approx(0.05, abs=0.01)
    assert lr_factor(0, 0, 0, 100, "linear") == lr_factor(99, 0, 0, 100, "constant") == 1.0
    assert lr_factor(50, 0, 0, 100, "linear") == pytest.approx(0.525)


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


def test_augmentation_grows_while_real_pictures_are_recognised_too_well_and_shrinks_when_not():
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
