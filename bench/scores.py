"""Scores of a generator, on a network that neither trains nor selects anything, and on a second one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F

from bench.workspace import code_digest
from creatures.data.pictures import Pictures, evenly_spaced
from creatures.data.tensors import default_device, to_float
from creatures.latents.sampler import Latent, Sampler
from creatures.metrics.defects import defects
from creatures.metrics.features import features
from creatures.metrics.scores import kid, memorised, precision_recall_density_coverage
from creatures.nets.common.base import Generator
from creatures.nets.frozen.efficientnet_lite import EfficientNetLite
from stages.evaluate.params import EvaluateParams


class Draws(Protocol):
    """Whatever draws pictures, uint8 count x 3 x H x W."""

    def sample(self, count: int, seed: int) -> np.ndarray: ...


METRIC_NETWORK, BESIDE = 1, 2  # EfficientNet-Lite's variants; the second selects snapshots
THUMBNAIL_PX = 16


def real_features(variant: int, pictures: Pictures, reference: int, out: Path) -> dict[str, np.ndarray]:
    """Features of real pictures by split, cached in a file for later runs."""
    digest = code_digest()
    digest.update(str(reference).encode())
    file = out / f"real-lite{variant}-{digest.hexdigest()[:12]}.npz"
    if not file.exists():
        metric_network = EfficientNetLite(variant).to(default_device())
        by_split = {
            split: features(metric_network, pictures.images[evenly_spaced(pictures.rows(split), reference)])
            for split in ("train", "val", "test")
        }
        unfinished = file.with_suffix(f".{os.getpid()}.npz")
        np.savez(unfinished, **by_split)  # type: ignore[arg-type]
        unfinished.replace(file)
    with np.load(file) as arrays:
        return dict(arrays)


def thumbnails(images: np.ndarray) -> np.ndarray:
    """Pictures, uint8 N x 3 x H x W, downsampled to THUMBNAIL_PX, as vectors: float32 N x (3 * THUMBNAIL_PX ** 2)."""
    return F.adaptive_avg_pool2d(to_float(images), THUMBNAIL_PX).flatten(1).numpy()


def scores(
    sampler: Draws, pictures: Pictures, seed: int, p: EvaluateParams, out: Path, against: str = "val"
) -> dict[str, Any]:
    """All metrics of one generator on the metric network, and KID on the second network.

    Args:
        against: the split for KID; precision, recall, density and coverage are against it too, or against train, which
            is larger, if it is val.

    `memorised_px` is `memorised` by the pixels of thumbnails: a blurred copy is far in features.
    """
    samples, device = sampler.sample(p.samples, seed + 1), default_device()
    train, unseen = (pictures.images[evenly_spaced(pictures.rows(split), p.reference)] for split in ("train", "test"))
    metrics: dict[str, Any] = {**defects(samples, train)}
    metrics["memorised_px"] = memorised(*(thumbnails(images) for images in (samples, unseen, train)))
    for variant in (METRIC_NETWORK, BESIDE):
        fake, real = (
            features(EfficientNetLite(variant).to(device), samples),
            real_features(variant, pictures, p.reference, out),
        )
        metrics[f"kid_lite{variant}"], metrics[f"kid_std_lite{variant}"] = kid(fake, real[against])
        if variant == METRIC_NETWORK:
            metrics |= precision_recall_density_coverage(fake, real["train" if against == "val" else against])
            metrics["memorised"] = memorised(fake, real["test"], real["train"])
    return metrics


def curve(
    net: Generator, points: list[Any], latent: Latent, seed: int, samples: int, real: np.ndarray
) -> list[dict[str, float]]:
    """KID on the metric network during training; `points`: seconds, step and weights of each."""
    metric_network, rows = EfficientNetLite(METRIC_NETWORK).to(default_device()), []
    for seconds, _, weights in points:
        net.load_state_dict(weights)
        net.eval().to(memory_format=torch.channels_last)
        value = kid(features(metric_network, Sampler(net, latent).sample(samples, seed + 1)), real)[0]
        rows.append({"minutes": seconds / 60, "kid_lite1": value})
    return rows
