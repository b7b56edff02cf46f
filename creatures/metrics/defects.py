"""Defects that a viewer sees and feature distances do not: a mesh, foregrounds in pieces, holes.

Pictures are uint8 N x 3 x H x W.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

APART = 24  # levels of 255 in a channel: what differs from the ground by more is ink
PERIOD = 4  # pixels: of the slowest of FREQUENCIES
LEAST = 3  # pixels: smaller components do not count as pieces
# cycles a pixel, down and across: all that has a period of 2 or 4 pixels in both directions, or in one
FREQUENCIES = [(2, 0), (0, 2), (2, 2), (1, 0), (0, 1), (1, 1), (2, 1), (1, 2)]  # quarters


def power_fractions(pictures: Tensor) -> Tensor:
    """The fraction of a picture's spectral power at each of FREQUENCIES, float (8,): the mean over pictures.

    Differentiable. These frequencies are those of what is left when all tiles of 4 x 4 pixels are added up.

    Args:
        pictures: float N x C x H x W in any range, H and W multiples of 4.
    """
    grey = pictures.mean(1)
    grey = grey - grey.mean((1, 2), keepdim=True)
    tile = grey.unflatten(2, (-1, PERIOD)).unflatten(1, (-1, PERIOD)).sum((1, 3))
    whole = grey.square().sum((1, 2)) * grey[0].numel()  # Parseval
    power = torch.fft.fft2(tile).abs().square() / whole.clamp(min=1e-6)[:, None, None]
    return torch.stack([power[:, y, x] for y, x in FREQUENCIES], 1).mean(0)


def grid_power(images: np.ndarray) -> np.ndarray:
    """`power_fractions` of many pictures, float64 (8,)."""
    parts = [images[start : start + 256] for start in range(0, len(images), 256)]
    sums = [power_fractions(torch.from_numpy(part.astype(np.float64))) * len(part) for part in parts]
    return (torch.stack(sums).sum(0) / len(images)).numpy()


def grid(fake: np.ndarray, real: np.ndarray) -> float:
    """How much stronger a mesh is than in real pictures: the worst of FREQUENCIES; 1 is as in these."""
    return float((grid_power(fake) / grid_power(real).clip(1e-12)).max())


def pieces_of(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 8-connected pieces of ink, uint8 H x W: int32 H x W, 1 and up, 0 where there is none; and their pixels."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    return labels, statistics[1:, cv2.CC_STAT_AREA]


def pieces_and_holes(image: np.ndarray) -> tuple[int, float]:
    """In how many pieces a foreground is (8-connected ink), and enclosed ground over ink.

    The ground is the median colour of the picture's border.

    Args:
        image: uint8 3 x H x W.
    """
    border = np.concatenate([image[:, 0], image[:, -1], image[:, :, 0], image[:, :, -1]], axis=1)
    apart = np.abs(image.astype(np.int16) - np.median(border, axis=1)[:, None, None])
    ink = (apart.max(0) > APART).astype(np.uint8)
    if not ink.any():
        return 0, 0.0
    pieces = int((pieces_of(ink)[1] >= LEAST).sum())
    around = np.pad(1 - ink, 1, constant_values=1)
    _, labels = cv2.connectedComponents(around, connectivity=4)
    enclosed = (around > 0) & (labels != labels[0, 0])
    return pieces, float(enclosed.sum() / ink.sum())


def defects(fake: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """`grid` over that of real pictures, `one_piece`, the fraction in one piece, and `holes`, their mean."""
    found = [pieces_and_holes(image) for image in fake]
    return {
        "grid": grid(fake, real),
        "one_piece": float(np.mean([pieces == 1 for pieces, _ in found])),
        "holes": float(np.mean([holes for _, holes in found])),
    }
