"""The four trainings for a few steps, in this process: their speed, and the networks they end with."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from accelerate.state import AcceleratorState
from torch import nn

from bench.clock import Clock, Enough
from bench.scratch import Scratch
from creatures.data.pictures import Pictures, evenly_spaced
from creatures.latents.mixture import Mixture
from creatures.latents.sampler import Latent
from creatures.nets.frozen.efficientnet_lite import EfficientNetLite
from creatures.runtime.config import changed, parse
from creatures.training.device import accelerator
from creatures.training.loop import Training
from creatures.training.perceptual import PerceptualLoss
from creatures.translation.palette import palettes_of
from stages.classifier import train as classifier
from stages.classifier.params import ClassifierParams
from stages.gan import train as gan
from stages.gan.build import Start, build, new_architecture
from stages.gan.params import GanParams
from stages.pix2pix import train as pix2pix
from stages.pix2pix.outlines import Outlines
from stages.pix2pix.params import Pix2pixParams
from stages.pretrain import train as pretrain
from stages.pretrain.params import PretrainParams

MODULES = {"classifier": classifier, "pretrain": pretrain, "gan": gan, "pix2pix": pix2pix}
DIMS = 512  # of embeddings, as a ResNet-34 has
LITE, STRIDES = 0, (2, 4, 8, 16)
ENOUGH = 1000  # pictures to train on
WITHOUT_WARMUP = {"handover.d_warmup_kimg": 0, "handover.g_warmup_kimg": 0}
MOST = 1_000_000  # steps: more than any measurement takes


class Watch(Clock):
    """A clock that also ends a training as a cluster's scheduler would.

    Args:
        stop: the step at which it gets a SIGTERM; -1: none.
    """

    def __init__(self, seconds: float = 0.0, stop: int = -1) -> None:
        super().__init__(seconds)
        self.stop = stop

    def __call__(self, step: int) -> None:
        self.tick()
        if step == self.stop:
            os.kill(os.getpid(), signal.SIGTERM)


class Trainings:
    """The stages that train, on the given pictures; their other inputs are random.

    Args:
        values: contents of params.yaml.
    """

    def __init__(self, values: dict[str, Any], pictures: Pictures) -> None:
        rows = evenly_spaced(pictures.rows("train"), ENOUGH)
        images = np.asarray(pictures.images[rows])
        self.pictures = Pictures(images, pictures.index.take(rows))
        self.values, self.seed = values, values["common"]["seed"]
        dark = np.where(images.mean(1) < 128, 0, 255).astype(np.uint8)
        self.outlines = Outlines({"canny": dark})
        self.palettes = palettes_of(images, values["pix2pix"]["palette"])
        rng = np.random.default_rng(self.seed)
        self.embeddings = rng.standard_normal((len(rows), DIMS)).astype(np.float32)

    def fit(self, name: str, folder: Path, batch: int = 0, steps: int = MOST, watch: Watch | None = None) -> nn.Module:
        """Train `name` from scratch, or resume from `folder`; returns the final network.

        Args:
            batch: 0: the parameters' own.
        """
        watching, length = watch or Watch(), {"start": "none"} | ({"batch": batch} if batch else {})
        section = self.values[name] | length
        section |= {"snapshots": 0} if "snapshots" in section else {}
        section |= {"kimg": steps * section["batch"] / 1000} if name != "classifier" else {}
        torch.manual_seed(self.seed)

        class Watched(Training):
            def __iter__(self) -> Iterator[int]:
                for step in super().__iter__():
                    yield step
                    watching(step)

        with ExitStack() as stack:
            stack.enter_context(patch.object(MODULES[name], "Training", Watched))
            if name != "classifier":  # whose length is in epochs
                return getattr(self, f"_{name}")(Scratch(name, folder / "ckpt", folder / "runs"), section)
            stack.enter_context(patch.object(classifier, "pool_rows", self._pooled))
            section["epochs"] = max(1, round(steps * section["batch"] / len(self.pictures.rows("train"))))
            return self._classifier(Scratch(name, folder / "ckpt", folder / "runs"), section)

    def _pooled(self, net: Any, pictures: Pictures, rows: np.ndarray, turns: int = 0) -> np.ndarray:
        return self.embeddings[rows][:, : net.embedding_dim]

    def _classifier(self, stage: Any, section: dict[str, Any]) -> nn.Module:
        p = parse("classifier", section, ClassifierParams)
        labels = np.unique(self.pictures.column("label")[self.pictures.rows("train")])
        task = p.task if (labels >= 0).sum() > 1 else "rotation"
        return classifier.train(stage, p, self.pictures, task, self.seed)[0]

    def _pretrain(self, stage: Any, section: dict[str, Any]) -> nn.Module:
        p = parse("pretrain", section | {"coarse_kimg": 0}, PretrainParams)
        architecture, perceptual = (
            p.architecture(DIMS, self.pictures.image_px),
            PerceptualLoss(EfficientNetLite(LITE), p.strides),
        )
        return pretrain.train(stage, p, architecture, self.pictures, self.embeddings, perceptual, self.seed)[0]

    def _gan(self, stage: Any, section: dict[str, Any]) -> nn.Module:
        p = parse("gan", changed(section, WITHOUT_WARMUP | {"init": "random"}), GanParams)
        sampled = self.values["gmm"]["pca_dims"] or DIMS
        factors, back = np.eye(sampled)[None], np.eye(sampled, DIMS)
        mixture = Mixture(np.ones(1), np.zeros((1, sampled)), factors, np.zeros(DIMS), back)
        architecture = new_architecture(p, DIMS, self.pictures.image_px)
        if section["init"] == "pretrained":
            pretrained = parse("pretrain", self.values["pretrain"], PretrainParams)
            architecture = {"name": "lite", **pretrained.architecture(DIMS, self.pictures.image_px), "msg": p.msg}
        nets = build(p, architecture, None, 0, self.seed)
        start = Start(*nets, architecture, Latent(DIMS, mixture), self.embeddings, self.embeddings)
        return gan.train(stage, p, start, self.pictures, self.seed, lambda *_: None, None)[0]

    def _pix2pix(self, stage: Any, section: dict[str, Any]) -> nn.Module:
        p = parse("pix2pix", section, Pix2pixParams)
        perceptual = PerceptualLoss(EfficientNetLite(LITE).to(accelerator().device), STRIDES)
        inputs = (self.pictures, self.outlines, self.palettes)
        return pix2pix.train(stage, p, *inputs, self.seed, lambda *_: None, perceptual, None)[0]

    def speed(self, name: str, batch: int, seconds: float) -> float:
        """Pictures per second, measured over `seconds`."""
        watch = Watch(seconds)
        with TemporaryDirectory() as folder, suppress(Enough):
            self.fit(name, Path(folder), batch, watch=watch)
        return (batch or self.values[name]["batch"]) / watch.per_step


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Run trainings in bf16, fp16 or no (float32)."""
    with patch.dict(os.environ, {"ACCELERATE_MIXED_PRECISION": name}):
        AcceleratorState._reset_state(True)
        try:
            yield
        finally:
            AcceleratorState._reset_state(True)


def digest(net: nn.Module) -> str:
    """SHA-256 of all weights' bytes."""
    hasher = sha256()
    for weight in net.state_dict().values():
        hasher.update(weight.detach().cpu().contiguous().numpy().tobytes())
    return hasher.hexdigest()


def apart(one: nn.Module, other: nn.Module) -> float:
    """The largest difference between two networks' weights, over the largest weight."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    ratios = [((a - b).abs().max() / a.abs().max().clamp(min=1e-12)).item() for a, b in pairs if a.is_floating_point()]
    return max(ratios)
