"""The training kit: interrupted runs end with the same bytes as whole ones."""

import json
import os
import signal
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from creatures.data.tensors import to_float, to_uint8
from creatures.runtime.errors import UserError
from creatures.training import log, loop
from creatures.training.batches import Batches
from creatures.training.ema import EMA
from creatures.training.loop import Training


@pytest.fixture()
def stage(tmp_path):
    return SimpleNamespace(name="tiny", checkpoint_dir=tmp_path / "ckpt", run_dir=tmp_path / "runs")


def train(stage, steps=12, stop_after=None, signalled=None, poison=None, log_every=4):
    """Fit a line to noise; with dropout, momentum and EMA, so that every kind of state counts."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
    optimiser = torch.optim.Adam(net.parameters(), lr=0.1)
    ema = EMA(net, 0.9)
    with Training(stage, steps, 2, 7, {"net": net, "optimiser": optimiser, "ema": ema}, log_every) as run:
        for step in run:
            rows = Batches(np.arange(5), 2, 7)[step]
            loss = (net(torch.randn(2, 3) + float(rows.sum())) ** 2).mean()
            if step == poison:
                loss = loss * float("nan")
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            ema.update(net)
            run.log(loss=loss)
            if step == stop_after:
                raise RuntimeError("killed")
            if step == signalled:
                os.kill(os.getpid(), signal.SIGTERM)
    return net.state_dict() | {f"ema.{k}": v for k, v in ema.module.state_dict().items()}, run.history


def same(a, b):
    return all(torch.equal(a[0][k], b[0][k]) for k in a[0]) and a[1] == b[1]


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(stage, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SAVE_EVERY_SECONDS", 0.0)
    whole = train(SimpleNamespace(**vars(stage) | {"checkpoint_dir": tmp_path / "other"}))
    for at in (1, 5, 9):
        with pytest.raises(RuntimeError):
            train(stage, stop_after=at)
    assert torch.load(stage.checkpoint_dir / "checkpoint.pt")["step"] == 8
    assert same(train(stage), whole)


def test_sigterm_saves_the_step_it_was_at_and_does_not_end_well(stage, tmp_path):
    whole = train(SimpleNamespace(**vars(stage) | {"checkpoint_dir": tmp_path / "other"}))
    with pytest.raises(KeyboardInterrupt):
        train(stage, signalled=5)
    assert torch.load(stage.checkpoint_dir / "checkpoint.pt")["step"] == 6
    assert same(train(stage), whole)


def test_a_signal_that_was_ignored_stays_ignored(stage, tmp_path):
    whole = train(SimpleNamespace(**vars(stage) | {"checkpoint_dir": tmp_path / "other"}))
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert same(train(stage, signalled=5), whole)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_loss_that_is_not_finite_ends_in_one_line_and_keeps_the_last_good_checkpoint(stage, monkeypatch):
    monkeypatch.setattr(loop, "SAVE_EVERY_SECONDS", 0.0)
    with pytest.raises(UserError, match=r"loss is no longer finite at step 8: .*checkpoint stays"):
        train(stage, poison=6)
    saved = torch.load(stage.checkpoint_dir / "checkpoint.pt")
    assert saved["step"] == 4
    assert all(torch.isfinite(v).all() for v in saved["state"]["net"].values())


def test_weights_that_are_not_finite_are_never_saved(stage, monkeypatch):
    """The last step's update can spoil weights that its loss, taken before, says nothing of."""
    net = nn.Linear(1, 1)
    with pytest.raises(UserError, match="weights are no longer finite"), Training(stage, 2, 1, 0, {"net": net}) as run:
        for step in run:
            run.log(loss=net(torch.ones(1)).sum())
            if step == 1:
                nn.init.constant_(net.weight, float("nan"))
    assert not (stage.checkpoint_dir / "checkpoint.pt").exists()


@pytest.mark.parametrize("damage", ["cut off", "empty", "zeros", "other", "half", "folder"])
def test_a_broken_checkpoint_is_one_line_and_a_fresh_start(stage, capsys, damage):
    stage.checkpoint_dir.mkdir()
    file = stage.checkpoint_dir / "checkpoint.pt"
    if damage == "folder":
        file.mkdir()
    else:
        torch.save({"step": 3, "state": {}}, file)
        whole = file.read_bytes()
        damaged = {"cut off": b"cut off", "empty": b"", "zeros": bytes(999), "half": whole[: len(whole) // 2]}
        file.write_bytes(damaged.get(damage, whole))
    train(stage)
    assert "cannot be read, starting over" in capsys.readouterr().out


def test_two_processes_do_not_train_the_same_run(stage):
    with Training(stage, 1, 1, 0, {}), pytest.raises(UserError, match="another process"), Training(stage, 1, 1, 0, {}):
        pass


def test_rows_of_the_table_are_means_over_their_steps(stage):
    with Training(stage, 4, 10, 0, {}, log_every=2) as run:
        for step in run:
            run.log(loss=torch.tensor(float(step)))
            if step % 2:
                run.log(seldom=torch.tensor(5.0))
    assert run.history == [
        {"step": 2, "kimg": 0.02, "loss": 0.5, "seldom": 5.0},
        {"step": 4, "kimg": 0.04, "loss": 2.5, "seldom": 5.0},
    ]
    metrics = json.loads((stage.run_dir / "dvclive" / "metrics.json").read_text())
    assert metrics["loss"] == 2.5


def test_how_long_it_will_take_is_said_after_seconds(stage, monkeypatch, capsys):
    """And then every half minute, and at the end."""
    now = [0.0]
    monkeypatch.setattr(log.time, "monotonic", lambda: now[0])
    shown = log.Log(stage, 100, 8, 0)
    for step in range(1, 101):
        now[0] = float(step)
        shown.advance(step)
    shown.close()
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("tiny: 4/100, 8 images/s, 96 s left")
    assert [line.split("/")[0] for line in said] == ["tiny: 4", "tiny: 35", "tiny: 66", "tiny: 97", "tiny: 100"]


def test_ema_is_the_average_it_says():
    net = nn.Linear(1, 1, bias=False)
    ema = EMA(net, 0.5)
    wanted = net.weight.item()
    for step in range(1, 6):
        nn.init.constant_(net.weight, float(step))
        ema.update(net)
        decay = min(0.5, (1 + step) / (10 + step))
        wanted = decay * wanted + (1 - decay) * step
    assert ema.module.weight.item() == pytest.approx(wanted, rel=1e-5)


def test_statistics_of_batches_are_averaged_and_counts_are_copied():
    net = nn.BatchNorm1d(1)
    ema = EMA(net, 0.5)
    for value in (4.0, 8.0):
        net.running_mean.fill_(value)
        net.num_batches_tracked.fill_(int(value))
        ema.update(net)
    first = (1 - 2 / 11) * 4
    assert ema.module.running_mean.item() == pytest.approx(first * 3 / 12 + 8 * (1 - 3 / 12))
    assert ema.module.num_batches_tracked.item() == 8


def test_pictures_survive_the_way_to_tensors_and_back():
    images = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16).repeat(3, axis=1)
    assert to_float(images).min() == -1 and to_float(images).max() == 1
    assert np.array_equal(to_uint8(to_float(images)), images)
