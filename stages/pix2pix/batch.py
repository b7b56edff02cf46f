"""How the pictures of a batch are varied: the same for the same step and seed, in any process."""

from __future__ import annotations

import numpy as np

from creatures.training.loop import mix
from creatures.translation.hints import drawn_from, spread


def is_double(share: float, step: int, seed: int) -> bool:
    """Whether this step's pictures are enlarged to twice their size, as a fraction `share` of steps are."""
    return bool(np.random.default_rng(mix(seed, step, 3)).random() < share)


def quarter(rows: np.ndarray, shares: int) -> np.ndarray:
    """A quarter of a batch's rows, as many pixels at twice the size; all of them if `shares` cannot share that."""
    count = len(rows) // 4
    return rows[:count] if count and count % shares == 0 else rows


def hints_of(images: np.ndarray, outlines: np.ndarray, step: int, seed: int, drop: float) -> np.ndarray:
    """Hints, spread in their outlines, float32 N x 4 x H x W; a fraction `drop` of the pictures has none.

    Args:
        images: uint8, N x 3 x H x W.
        outlines: uint8, N x H x W.
    """
    rng, hints = np.random.default_rng(mix(seed, step, 2)), np.zeros((len(images), 4, *images.shape[2:]), np.float32)
    for place, image in enumerate(images):
        if rng.random() >= drop:
            hints[place] = spread(drawn_from(image, rng), outlines[place])
    return hints
