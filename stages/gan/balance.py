"""Classes drawn evenly for training: rare ones as often as common ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from creatures.data.pictures import Pictures
from creatures.latents.sampler import Latent
from creatures.runtime.errors import UserError
from stages.gan.build import Start
from stages.gan.classes import component_labels


def balanced(start: Start, pictures: Pictures) -> tuple[Start, np.ndarray]:
    """A start whose fakes come from all classes evenly, and rows of train, ascending, with as many of each class.

    Raises:
        UserError: train has fewer than two classes.
    """
    rows = balanced_rows(pictures.rows("train"), pictures.column("label"))
    return replace(start, latent=balanced_latent(start.latent, start.embeddings, rows)), rows


def balanced_rows(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Repeat rows so that each class has as many as the largest; pictures without a label are one class.

    Args:
        rows: ascending, int (N,).
        labels: of all pictures, int.

    Returns:
        Ascending; how often two rows of a class appear differs by at most one.
    """
    classes, members, counts = np.unique(labels[rows], return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise UserError("gan.balance needs pictures of two classes or more; set it to false")
    most, repeats = counts.max(), np.empty(len(rows), int)
    for member, count in enumerate(counts):
        repeats[members == member] = np.diff(np.arange(count + 1) * most // count)
    return np.repeat(rows, repeats)


def balanced_latent(latent: Latent, embeddings: np.ndarray | None, rows: np.ndarray) -> Latent:
    """The latent with classes, or else the mixture's components, as frequent as `rows` have them.

    Args:
        embeddings: of all pictures, for a mixture.
        rows: from `balanced_rows`.
    """
    if latent.class_probs is not None:
        return replace(latent, class_probs=np.full(latent.classes, 1 / latent.classes))
    if latent.mixture is None or embeddings is None:
        return latent
    unique, counts = np.unique(rows, return_counts=True)
    components = component_labels(latent.mixture, embeddings[unique])
    weights = np.bincount(components, counts, len(latent.mixture.weights))
    return replace(latent, mixture=replace(latent.mixture, weights=weights / weights.sum()))
