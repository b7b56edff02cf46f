"""Samples by class: which classes are drawn, and how."""

from __future__ import annotations

import numpy as np

from creatures.data.pictures import evenly_spaced

ROWS, REAL, FAKE = 16, 4, 12  # of the sheet: classes, and pictures of each


def by_class(
    fake: np.ndarray,
    train: np.ndarray,
    labels: np.ndarray,
    distances: np.ndarray,
    neighbours: np.ndarray,
) -> tuple[np.ndarray, float]:
    """A sheet of classes, and the fraction of classes that are drawn at all.

    A sample is of the class of the train picture that it is nearest to. The sheet has up to `ROWS` classes, from the
    commonest to the rarest: `REAL` train pictures, then the `FAKE` samples nearest to them; white where there are
    fewer.

    Args:
        fake, train: uint8, N x 3 x H x W.
        labels: class of each train picture, int; -1 is one more class.
        distances, neighbours: from `nearest`, of each sample.

    Returns:
        uint8, (rows x (REAL + FAKE)) x 3 x H x W, and the fraction in [0, 1].
    """
    classes, counts = np.unique(labels, return_counts=True)
    drawn, cells = labels[neighbours], []
    for place in evenly_spaced(np.argsort(-counts, kind="stable"), ROWS):
        real = evenly_spaced(np.flatnonzero(labels == classes[place]), REAL)
        of_class = np.flatnonzero(drawn == classes[place])
        closest = of_class[np.argsort(distances[of_class], kind="stable")][:FAKE]
        cells += [padded(train[real], REAL), padded(fake[closest], FAKE)]
    return np.concatenate(cells), len(np.intersect1d(classes, drawn)) / len(classes)


def padded(images: np.ndarray, count: int) -> np.ndarray:
    """Pictures and as many white ones as make them `count`."""
    return np.concatenate([images, np.full((count - len(images), *images.shape[1:]), 255, np.uint8)])
