"""Trainings of a GAN, at their smallest, that start from an earlier run."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from creatures.artifacts import EMBEDDINGS, ENCODER, GENERATOR, MIXTURE, PICTURES, PRETRAINED
from creatures.data.pictures import open_pictures
from creatures.data.provenance import ancestors, digest_of, write_sidecar
from creatures.data.weights import load_weights, save_weights
from creatures.latents.mixture import load_mixture, save_mixture
from creatures.nets.discriminators.critic import save_critic
from creatures.runtime.config import Common, changed, parse, read_yaml
from creatures.training import loop
from creatures.training.log import Quiet
from creatures.training.loop import Training
from stages.gan.build import Start, prepare
from stages.gan.params import GanParams
from stages.gan.train import train
from tests.support.deps import ROOT
from tests.support.trainings import SLOW
from tests.support.untrained import PX, write_run

BATCH = 4
SMALL = {
    "discriminator.name": "sngan",
    "discriminator.width": 8,
    "condition": "none",
    "frames": 2,
    "snapshots": 3,
} | SLOW
STEERED = {
    "penalties.lecam": 0.1,
    "handover.anchor": 1.0,
    "augment.p": 0.2,
    "augment.target": 0.3,
    "schedule": "constant",
}
numbers = itertools.count()


@pytest.fixture(autouse=True)
def untrained(tmp_path, monkeypatch) -> Path:
    """A run that has not been trained, in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loop, "Log", lambda *_: Quiet())
    write_run()
    return tmp_path


def stage(name: str) -> Any:
    number = next(numbers)
    return SimpleNamespace(name=name, checkpoint_dir=Path(f".ckpt/{name}/{number}"), run_dir=Path(f"runs/{number}"))


def begin_gan(start: str, steps: int = 9, px: int = PX, **changes: Any) -> tuple[GanParams, Start]:
    at_once = {"snapshots": 3, "batch": BATCH, "handover.d_warmup_kimg": 0.0, "handover.g_warmup_kimg": 0.0}
    values = changed(read_yaml(ROOT / "params.yaml")["gan"], SMALL | at_once)
    p = parse(
        "gan",
        changed(values, {"kimg": steps * changes.get("batch", BATCH) / 1000, "start": start} | changes),
        GanParams,
    )
    return p, prepare(p, Common(image_px=px), open_pictures())


def train_gan(steps: int, start: str = "none", **changes: Any) -> Training:
    """Train and write models/gan.safetensors, as the stage does; scores fall, so that the best is the last."""
    p, begin = begin_gan(start, steps, **changes)
    scores = itertools.count(0, -1)

    def score(_: object) -> dict[str, float]:
        return {"val_kid": float(next(scores)), "grid": 1.0, "one_piece": 1.0}

    net, training = train(stage("gan"), p, begin, open_pictures(), 0, lambda *_: None, score)
    header = {"architecture": begin.architecture, "latent": p.latent, "made_from": begin.made_from | begin.origin.mark}
    save_weights(GENERATOR, net.state_dict(), header)
    made_from = begin.made_from | {"generator": digest_of(GENERATOR)}
    save_critic(begin.net_d, begin.origin.about["discriminator"], p.condition, 1, made_from)
    training.finish(GENERATOR)
    return training


def states(training: Training) -> dict[str, Any]:
    return {name: item.state_dict() for name, item in training.checkpoint.state.items()}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return len(a) == len(b) and all(map(same, a, b)) if isinstance(a, list | tuple) else a == b


def rows(training: Training) -> list[dict[str, float]]:
    """Without scores, which the shorter run has of its own."""
    return [row for row in training.history if "val_kid" not in row]


def new_encoder(start: Path | None) -> None:
    """Another encoder, with the embeddings, mixture and pretrained generator of its own."""
    tensors, header = load_weights(ENCODER)
    header["made_from"] |= {"start": digest_of(start)} if start else {}
    save_weights(ENCODER, {key: value + 1 for key, value in tensors.items()}, header)
    write_sidecar(EMBEDDINGS, ancestors(PICTURES, ENCODER))
    save_mixture(MIXTURE, load_mixture(), ancestors(EMBEDDINGS, PICTURES))
    tensors, header = load_weights(PRETRAINED)
    save_weights(PRETRAINED, tensors, header | {"made_from": ancestors(EMBEDDINGS)})
