"""Palettes that go with hints: in training both are of one picture, so a network cannot make sense of strangers."""

from __future__ import annotations

from math import ceil

import numpy as np
from PIL import Image

from creatures.translation.palette import KMEANS

FITTING = 0.2  # fraction of palettes that one is chosen from


def palettes_for(hints: np.ndarray, palettes: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Palettes with the colours of hints, each made of one of those that have the most similar colours.

    Args:
        hints: float32, 4 x H x W.
        palettes: to choose from by the seed, float32 N x colours x 4.

    Returns:
        float32, count x colours x 4.
    """
    colours = hint_colours(hints, palettes.shape[1])
    apart = np.linalg.norm(palettes[:, None, :, :3] - colours[:, None], axis=3)  # N x hints x colours
    apart[np.broadcast_to(palettes[:, None, :, 3] == 0, apart.shape)] = np.inf
    fitting = apart.min(axis=2).mean(axis=1).argsort(kind="stable")[: ceil(FITTING * len(palettes))]
    chosen = np.random.default_rng(seed).choice(fitting, count)
    return np.stack([with_colours(palettes[row], colours) for row in chosen])


def with_colours(palette: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """A palette, float32 colours x 4, in which each of some colours, float n x 3 in [-1, 1], takes the place of the
    nearest that is not one of them already.
    """
    result, free = palette.copy(), palette[:, 3] > 0
    for colour in colours:
        if free.any():
            nearest = np.where(free, np.linalg.norm(result[:, :3] - colour, axis=1), np.inf).argmin()
            result[nearest, :3], free[nearest] = colour, False
    return result


def hint_colours(hints: np.ndarray, most: int) -> np.ndarray:
    """The colours of hints, float32 n x 3 in [-1, 1], n at most `most`; the most frequent first."""
    levels = ((hints[:3, hints[3] == 1].T + 1) * 127.5).round().astype(np.uint8)
    quantised = Image.fromarray(levels[None]).quantize(most, Image.Quantize.MEDIANCUT, KMEANS)
    counts = np.bincount(np.asarray(quantised).ravel())
    rgb = np.array(quantised.getpalette(), np.float32).reshape(-1, 3)
    return rgb[np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]] / 127.5 - 1
