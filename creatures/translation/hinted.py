"""Have the colourer follow hints: palettes that agree with them, and colourings that keep to them."""

from __future__ import annotations

from math import ceil

import cv2
import numpy as np
from PIL import Image

from creatures.translation.hints import spread
from creatures.translation.palette import KMEANS
from creatures.translation.regions import regions_of

FITTING = 0.2  # fraction of palettes that one is chosen from


def palette_for(hints: np.ndarray, outline: np.ndarray, palettes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A palette with the colours of hints, made of one of those that have the most similar colours.

    In training, hints and palette are of one picture: where they contradict each other, a network mixes them.

    Args:
        hints: float32, 4 x H x W.
        outline: uint8, H x W.
        palettes: to choose from, float32 N x colours x 4.

    Returns:
        float32, colours x 4.
    """
    own = hint_palette(hints, outline, palettes.shape[1])
    apart = np.linalg.norm(palettes[:, None, :, :3] - own[:, None, :3], axis=3)  # N x hints x colours
    apart[np.broadcast_to(palettes[:, None, :, 3] == 0, apart.shape)] = np.inf
    fitting = apart.min(axis=2).mean(axis=1).argsort(kind="stable")[: ceil(FITTING * len(palettes))]
    return merged(palettes[rng.choice(fitting)], own)


def merged(palette: np.ndarray, own: np.ndarray) -> np.ndarray:
    """A palette, float32 colours x 4, with other colours, n x 4, each in place of the most similar of its own; what
    these leave of the foreground is shared by the rest as before.
    """
    rest = palette[palette[:, 3] > 0]
    for colour in own[:, :3]:
        if len(rest):
            rest = np.delete(rest, np.linalg.norm(rest[:, :3] - colour, axis=1).argmin(), axis=0)
    if len(rest):
        rest[:, 3] *= (1 - own[:, 3].sum()) / rest[:, 3].sum()
    both = np.concatenate([own, rest])
    both = both[np.argsort(-both[:, 3], kind="stable")]
    return np.concatenate([both, np.zeros_like(palette)])[: len(palette)]


def hint_palette(hints: np.ndarray, outline: np.ndarray, most: int) -> np.ndarray:
    """The colours of hints, float32 n x 4 with n at most `most`: RGB in [-1, 1] and the fraction of the figure that
    their regions, or else they themselves, cover.
    """
    filled = spread(hints, outline)
    levels = ((filled[:3, filled[3] > 0].T + 1) * 127.5).round().astype(np.uint8)
    quantised = Image.fromarray(levels[None]).quantize(most, Image.Quantize.MEDIANCUT, KMEANS)
    counts = np.bincount(np.asarray(quantised).ravel())
    rgb = np.array(quantised.getpalette(), np.float32).reshape(-1, 3)[: len(counts)] / 127.5 - 1
    area = max(int(((regions_of(outline) > 0) | (filled[3] > 0)).sum()), 1)
    return np.concatenate([rgb, counts[:, None] / area], axis=1)[counts > 0].astype(np.float32)


def held(picture: np.ndarray, hints: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """A colouring in whose regions the median colour is that of their hints; the shading stays.

    Where a region has several hints, the nearer ones count for more: their shifts are weighted by the inverse square
    of the distance (D. Shepard, "A Two-Dimensional Interpolation Function for Irregularly-Spaced Data", 1968).

    Args:
        picture: uint8, 3 x H x W.
        hints: float32, 4 x H x W, as the user put them.
        outline: uint8, H x W.

    Returns:
        uint8, 3 x H x W.
    """
    labels, result = regions_of(outline), picture.astype(np.float32)
    for rank in np.unique(labels[(hints[3] > 0) & (labels > 0)]):
        region = labels == rank
        count, marks = cv2.connectedComponents(((hints[3] > 0) & region).astype(np.uint8))
        apart = np.stack(
            [cv2.distanceTransform((marks != n).astype(np.uint8), cv2.DIST_L2, 5) for n in range(1, count)]
        )
        apart, own = apart[:, region], apart[:, region].argmin(axis=0)
        pixels = picture[:, region]
        wanted = [np.median((hints[:3, marks == n] + 1) * 127.5, axis=1) for n in range(1, count)]
        shifts = np.stack([colour - np.median(pixels[:, own == n], axis=1) for n, colour in enumerate(wanted)])
        weights = 1 / (1 + apart) ** 2
        result[:, region] += shifts.T @ (weights / weights.sum(axis=0))
    return result.round().clip(0, 255).astype(np.uint8)
