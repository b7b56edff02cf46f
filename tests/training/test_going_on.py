"""Trainings that go on with a finished one: were they wrong, hours of training would be lost unseen."""

from __future__ import annotations

import itertools
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from app.keep import keep
from creatures.artifacts import COLOURER, ENCODER, GENERATOR, PRETRAINED
from creatures.data.pictures import open_pictures
from creatures.data.provenance import digest_of
from creatures.data.weights import load_weights, save_weights
from creatures.runtime.errors import UserError
from creatures.training import loop
from creatures.training.loop import Training
from creatures.training.origin import Origin, state_file
from stages.gan.train import train
from tests.support.starts import (  # noqa: F401, a fixture
    BATCH,
    STEERED,
    begin_gan,
    rows,
    same,
    stage,
    states,
    train_gan,
    untrained,
)
from tests.support.trainings import train_classifier, train_pix2pix, train_pretrain


@pytest.mark.parametrize("steps", [7, 20])
def test_a_gan_that_is_gone_on_with_is_one_of_that_length_from_the_start(steps, capsys):
    """To the byte, if its rates do not depend on the length; 7 steps end within a row of the table."""
    whole = train_gan(2 * steps, **STEERED)
    wanted = GENERATOR.read_bytes()
    train_gan(steps, **STEERED)
    keep("half")
    capsys.readouterr()
    went_on = train_gan(2 * steps, "half", **STEERED)
    assert capsys.readouterr().out == f"gan: goes on from models/half, at step {steps}\n"
    assert same(states(went_on), states(whole)) and rows(went_on) == rows(whole)
    tensors, header = load_weights(GENERATOR)
    assert header["made_from"].pop("start") == digest_of(Path("models/half/gan.safetensors"))
    save_weights(GENERATOR, tensors, header)
    assert GENERATOR.read_bytes() == wanted


def test_an_anchored_run_that_is_gone_on_with_keeps_its_anchor():
    """Also one whose anchor was not pretraining but an earlier run's generator."""
    anchored = {"handover.anchor": 10.0, "schedule": "constant", "batch": 2 * BATCH}
    train_gan(6)
    keep("first")
    whole = train_gan(12, "first", **anchored)
    train_gan(6, "first", **anchored)
    keep("half")
    went_on = train_gan(12, "half", **anchored)
    assert same(states(went_on), states(whole))
    assert same(states(went_on)["teacher"], load_weights(Path("models/first/gan.safetensors"))[0])


def test_a_run_without_an_anchor_is_gone_on_with_anchored_to_its_own_generator():
    train_gan(6)
    keep("half")
    went_on = train_gan(12, "half", **{"handover.anchor": 10.0})
    assert same(states(went_on)["teacher"], load_weights(Path("models/half/gan.safetensors"))[0])


def test_a_colourer_that_is_gone_on_with_is_one_of_that_length_from_the_start():
    fixed = {"schedule": "constant"}
    whole = train_pix2pix(stage("pix2pix"), 8, **fixed)
    train_pix2pix(stage("pix2pix"), 4, Origin("pix2pix"), **fixed).finish(COLOURER)
    keep("half")
    went_on = train_pix2pix(stage("pix2pix"), 8, Origin("pix2pix", "half"), **fixed)
    assert same(states(went_on), states(whole)) and went_on.history == whole.history


@pytest.mark.parametrize(
    ("section", "file", "training"),
    [("classifier", ENCODER, train_classifier), ("pretrain", PRETRAINED, train_pretrain)],
)
def test_a_rate_that_falls_goes_on_at_the_rates_of_the_whole_length(section, file, training):
    short, whole = (training(stage(section), steps) for steps in (6, 12))
    ended = {key: value.clone() for key, value in short.checkpoint.state["net"].state_dict().items()}
    short.finish(file)
    keep("half")
    went_on = training(stage(section), 12, Origin(section, "half"))
    assert [row["step"] for row in went_on.history] == [12]  # one row of all the steps
    assert not same(went_on.checkpoint.state["net"].state_dict(), ended)
    groups = [run.checkpoint.state["optimiser"].state_dict() for run in (went_on, whole)]
    assert groups[0]["param_groups"] == groups[1]["param_groups"]
    assert next(iter(groups[0]["state"].values()))["step"] == 12
    if "schedule" in whole.checkpoint.state:
        assert went_on.checkpoint.state["schedule"].state_dict() == whole.checkpoint.state["schedule"].state_dict()


def test_a_run_that_goes_on_can_be_interrupted_too(monkeypatch):
    train_gan(6, **STEERED)
    keep("half")
    wanted = states(train_gan(12, "half", **STEERED))
    where, scores = stage("gan"), itertools.count(0, -1)
    monkeypatch.setattr("stages.gan.train.Training", partial(Training, log_every=1))
    monkeypatch.setattr(loop, "SAVE_EVERY_SECONDS", 0.0)

    def score(_: nn.Module) -> dict[str, float]:
        if (found := next(scores)) == -1:
            raise RuntimeError("killed")
        return {"val_kid": float(found), "grid": 1.0, "one_piece": 1.0}

    p, begin = begin_gan("half", 12, **STEERED)
    with pytest.raises(RuntimeError):
        train(where, p, begin, open_pictures(), 0, lambda *_: None, score)
    assert torch.load(where.checkpoint_dir / "checkpoint.pt")["step"] > 6
    p, begin = begin_gan("half", 12, **STEERED)
    _, training = train(where, p, begin, open_pictures(), 0, lambda *_: None, score)
    assert same(states(training) | {"best": None}, wanted | {"best": None})


def test_a_best_snapshot_of_the_second_half_stays_the_best_until_it_is_beaten():
    train_gan(8)
    keep("half")
    best = torch.load(next(Path("models/half").glob("gan-*.pt")))["state"]["best"]
    assert best["step"] == 7

    def best_of(steps: int) -> dict[str, Any]:
        p, begin = begin_gan("half", steps)
        worse = train(
            stage("gan"),
            p,
            begin,
            open_pictures(),
            0,
            lambda *_: None,
            lambda _: {"val_kid": 99.0, "grid": 1.0, "one_piece": 1.0},
        )[1]
        return worse.checkpoint.state["best"].state_dict()

    assert same(best_of(10), best)
    assert best_of(16)["step"] == 15  # of 16 steps the second half begins with step 8


def test_a_run_that_is_no_longer_than_the_one_it_goes_on_from_is_one_line():
    train_gan(6)
    keep("half")
    for steps in (5, 6):
        with pytest.raises(UserError, match=rf"gan\.start is 'half', a run of 6 steps.* {steps}: raise gan\.kimg$"):
            train_gan(steps, "half")


def test_a_run_of_no_steps_takes_the_weights_of_one_that_has_a_state():
    train_classifier(stage("classifier"), 6).finish(ENCODER)
    keep("half")
    origin = Origin("classifier", "half")
    assert origin.state is not None
    run = train_classifier(stage("classifier"), 0, origin, start="half")
    assert run.steps == 0 and origin.state is None


def test_a_state_of_other_pairs_is_not_gone_on_with():
    train_pix2pix(stage("pix2pix"), 4, Origin("pix2pix", made_from={"pairs": "one"})).finish(COLOURER)
    keep("half")
    assert Origin("pix2pix", "half", {"pairs": "one"}).state is not None
    assert Origin("pix2pix", "half", {"pairs": "other"}).state is None


def test_only_the_last_state_of_a_stage_is_there():
    for steps in (2, 3):
        train_gan(steps)
    assert list(Path(".ckpt/gan").glob("**/*.pt")) == [state_file(Path(".ckpt/gan"), "gan", GENERATOR)]
