"""Rebuilds of pictures that the generator never saw, against two baselines that need no training."""

from __future__ import annotations

import numpy as np
import torch

from creatures.data.pictures import ENOUGH, MEASURED, Pictures, evenly_spaced
from creatures.data.tensors import to_uint8
from creatures.metrics.nearest import nearest
from creatures.training.perceptual import PerceptualLoss, errors

BATCH = 64


@torch.no_grad()
def rebuild(net: torch.nn.Module, embeddings: np.ndarray) -> np.ndarray:
    """Pictures, uint8 N x 3 x H x W, from embeddings, float32 N x z_dim."""
    device = next(net.parameters()).device
    parts = [
        to_uint8(net(torch.from_numpy(embeddings[i : i + BATCH]).to(device))) for i in range(0, len(embeddings), BATCH)
    ]
    return np.concatenate(parts)


def nearest_rows(embeddings: np.ndarray, train: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """For each of `rows` the train row with the nearest embedding."""
    return train[nearest(embeddings[rows], embeddings[train])[1]]


def mean_picture(pictures: Pictures, rows: np.ndarray) -> np.ndarray:
    """The mean of `rows`, uint8 3 x H x W, in bounded memory."""
    total = np.zeros(pictures.images.shape[1:])
    for start in range(0, len(rows), 1024):
        total += pictures.images[rows[start : start + 1024]].sum(0, dtype=np.float64)
    return (total / len(rows)).round().astype(np.uint8)


def compare(
    net: torch.nn.Module, perceptual: PerceptualLoss, pictures: Pictures, embeddings: np.ndarray
) -> tuple[dict[str, float], np.ndarray, np.ndarray]:
    """Metrics for pretrain.json, rows of val, and their rebuilds."""
    train, val = evenly_spaced(pictures.rows("train"), ENOUGH), evenly_spaced(pictures.rows("val"), MEASURED)
    real = pictures.images[val]
    rebuilt = rebuild(net, embeddings[val])
    mean = np.broadcast_to(mean_picture(pictures, pictures.rows("train")), real.shape)
    guesses = {
        "val": rebuilt,
        "mean_picture": mean,
        "nearest_train": pictures.images[nearest_rows(embeddings, train, val)],
    }
    metrics = {}
    for name, guess in guesses.items():
        metrics[f"{name}_pixel"], metrics[f"{name}_feature"] = errors(perceptual, guess, real)
    return metrics, val, rebuilt
