"""The step of adversarial training: micro-batches, and losses scaled for float16."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from creatures.adversarial.losses import LOSSES
from creatures.adversarial.objective import Adversarial, Batch, DiscriminatorInput
from creatures.adversarial.penalties import PENALTIES
from creatures.nets.common.base import Discriminator
from creatures.nets.discriminators.registry import DISCRIMINATORS
from creatures.runtime.errors import UserError
from creatures.training import distributed
from creatures.training.device import accelerator
from tests.support.trainings import train_classifier, train_gan, train_pix2pix, train_pretrain

COUNT, PX, Z = 12, 16, 5
TRAINED = (
    ("classifier", train_classifier),
    ("pretrain", train_pretrain),
    ("gan", train_gan),
    ("pix2pix", train_pix2pix),
)


class Nets:
    """Networks without BatchNorm, so that a batch is no more than the sum of its rows, and a batch for them."""

    def __init__(self, loss: str, **knobs: Any) -> None:
        torch.manual_seed(0)
        self.net_d: Discriminator = DISCRIMINATORS["dcgan"](PX, 8, norm="none")
        self.net_g = nn.Sequential(nn.Linear(Z, 3 * PX * PX), nn.Tanh(), nn.Unflatten(1, (3, PX, PX)))
        self.real, self.z = 2 * torch.rand(COUNT, 3, PX, PX) - 1, torch.randn(COUNT, Z)
        self.drawn = 0
        opt_g, opt_d = (torch.optim.SGD(net.parameters(), 0.01) for net in (self.net_g, self.net_d))
        accelerate = Accelerator(mixed_precision="no", cpu=True)
        self.adversarial = Adversarial(accelerate, self.net_d, opt_g, opt_d, loss, **{"penalties": {}} | knobs)

    def forward(self, part: slice) -> Batch:
        self.drawn += 1
        fake, real = self.net_g(self.z[part]), self.real[part]
        seen = [DiscriminatorInput([x], self.net_d.features([x]), None) for x in (real, fake)]
        return Batch(*seen, lambda: ([0.5 * (fake - real).abs().mean()], {"l1": (fake - real).abs().mean()}))

    def step(self, accumulate: int, **how: Any) -> dict[str, float]:
        parts = distributed.micro_batches(COUNT, accumulate)
        return {k: v.item() for k, v in self.adversarial.step(self.forward, parts, 0, **how).items()}

    @property
    def weights(self) -> Tensor:
        return torch.cat([w.detach().flatten() for net in (self.net_d, self.net_g) for w in net.parameters()])


@pytest.mark.parametrize("loss", sorted(set(LOSSES) - {"bce-soft"}))  # whose labels are random
def test_micro_batches_make_the_step_of_the_whole_batch(loss):
    begin, whole, split = Nets(loss), Nets(loss, penalties={"r1": 0.1}), Nets(loss, penalties={"r1": 0.1})
    of_whole, of_split = whole.step(1), split.step(4)
    assert (whole.drawn, split.drawn) == (1, 8)
    assert of_split == pytest.approx(of_whole, rel=1e-4, abs=1e-5)
    assert {"loss_d", "loss_g", "d_sign", "r1", "l1"} <= set(of_split)
    moved = (whole.weights - begin.weights).abs().max()
    assert moved > 1e-4 and (whole.weights - split.weights).abs().max() < 1e-3 * moved


def test_the_discriminator_learns_alone_where_the_generator_is_to_wait():
    nets = Nets("hinge")
    before = [w.clone() for w in nets.net_g.parameters()]
    assert "loss_g" not in nets.step(1, train_g=False)
    assert all(torch.equal(w, was) for w, was in zip(nets.net_g.parameters(), before, strict=True))
    assert all(w.requires_grad for w in nets.net_d.parameters())


def test_batches_that_cannot_be_split_evenly_are_refused():
    with pytest.raises(UserError, match="12 pictures of a batch cannot be split evenly in 5: change accumulate"):
        distributed.micro_batches(12, 5)


def test_gradients_are_measured_in_float32_where_networks_train_in_bfloat16():
    net_d = DISCRIMINATORS["sngan"](16, 8).eval()
    net_d.forward = torch.autocast("cpu", torch.bfloat16)(net_d.forward)  # as Accelerate prepares it
    optimisers = [torch.optim.SGD(net_d.parameters(), 0.1)] * 2
    adversarial = Adversarial(accelerator(), net_d, *optimisers, "hinge", {"r1": 1.0})
    real, fake = (DiscriminatorInput([x], [x], None) for x in torch.rand(2, 3, 3, 16, 16))
    with torch.autocast("cpu", torch.bfloat16):
        assert net_d(real.pictures).dtype == torch.bfloat16
        _, metrics = adversarial.discriminator_loss(Batch(real, fake, lambda: ([], {})), penalised=True)
    wanted = PENALTIES["r1"](net_d.discriminate, real.pictures, fake.pictures)
    assert metrics["r1"].item() == pytest.approx(wanted.item(), rel=1e-5)


@pytest.fixture
def stage(tmp_path) -> SimpleNamespace:
    return SimpleNamespace(name="gan", checkpoint_dir=tmp_path / "ckpt", run_dir=tmp_path / "runs")


def losses(training: Any) -> np.ndarray:
    return np.array([[v for k, v in row.items() if k not in ("step", "kimg")] for row in training.history])


@pytest.mark.parametrize(("name", "train"), TRAINED)
def test_every_training_takes_micro_batches(name, train, stage):
    """Alike at the first step, but for what BatchNorm measures over a part, and comparisons with earlier parts."""
    steps = 4 if name == "pretrain" else 1
    plain = {"gan": {"augment.ops": [], "penalties.mmd": 0.0}, "pretrain": {}}.get(name, {"augment": []})
    whole = losses(train(stage, steps, **plain))
    stage.checkpoint_dir = stage.checkpoint_dir / "split"
    split = losses(train(stage, steps, accumulate=2, **plain))
    assert not np.array_equal(split, whole) and split == pytest.approx(whole, rel=0.2, abs=0.2)


def in_float16() -> Accelerator:
    """What `accelerator` gives on a GPU before Ampere, on the CPU: which Accelerate leaves in float32."""
    found = accelerator()
    found.state._mixed_precision, found.native_amp = "fp16", True
    found.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    return found


@pytest.mark.parametrize(("name", "train"), TRAINED)
def test_float16_with_scaled_losses_trains_alike(name, train, stage, tmp_path, monkeypatch):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    changes = {"penalties.mmd": 1.0} if name == "gan" else {}  # its weight lowers the scale, as it should
    plain = losses(train(stage, 6, **changes))
    monkeypatch.setattr(f"stages.{name}.train.accelerator", in_float16)
    stage.checkpoint_dir = tmp_path / "half"
    whole = train(stage, 6, **changes)
    assert not np.array_equal(losses(whole), plain)
    assert losses(whole) == pytest.approx(plain, rel=0.05, abs=0.03)
    saved = torch.load(whole.folder / "checkpoint.pt", weights_only=True)
    assert saved["state"]["scaler"]["scale"] == 2.0**10


def test_a_scaler_s_state_is_taken_from_the_checkpoint(stage, monkeypatch):
    scalers: list[torch.amp.GradScaler] = []

    def noted() -> Accelerator:
        AcceleratorState._reset_state(True)
        found = in_float16()
        scalers.append(found.scaler)
        return found

    monkeypatch.setattr("stages.gan.train.accelerator", noted)
    train_gan(stage, 2)
    path = next(stage.checkpoint_dir.rglob("checkpoint.pt"))
    saved = torch.load(path, weights_only=True)
    saved["state"]["scaler"]["scale"] = 2.0**6
    torch.save(saved, path)
    train_gan(stage, 4)
    assert scalers[-1].get_scale() == 2.0**6


def test_processes_average_gradients_before_a_scaler_looks_at_them(monkeypatch):
    """One process's overflow is all processes': otherwise some would skip the step and the others wait for them."""
    monkeypatch.setattr(distributed, "world_size", lambda: 2)
    monkeypatch.setattr(distributed, "_add_up", lambda x: x + torch.tensor([torch.inf]))  # the other's
    accelerate = in_float16()
    weight = nn.Parameter(torch.ones(1))
    (optimiser,) = distributed.prepare(accelerate, torch.optim.SGD([weight], 0.1))
    accelerate.backward(weight.sum())
    optimiser.step()
    assert weight.item() == 1 and accelerate.scaler.get_scale() < 2.0**10


def test_a_run_goes_on_in_float16_where_it_began_without(stage, monkeypatch, capsys):
    train_gan(stage, 2)
    monkeypatch.setattr("stages.gan.train.accelerator", in_float16)
    history = train_gan(stage, 4).history
    assert "gan: going on at step 2 of 4" in capsys.readouterr().out and np.isfinite(history[-1]["loss_g"])
