"""Defects that a viewer sees and feature distances do not: a mesh, foregrounds in pieces, holes.

Pictures are uint8 N x 3 x H x W, if nothing else is said.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

APART = 24  # levels of 255 in a channel: what differs from the background by more is ink
PERIOD = 4  # pixels: the longest period of FREQUENCIES
LEAST = 3  # pixels: smaller components do not count as pieces
BANDS = 8  # of frequencies, in each direction
# quarter cycles per pixel, down and across: all with a period of 2 or 4 pixels along one axis or both
FREQUENCIES = [(2, 0), (0, 2), (2, 2), (1, 0), (0, 1), (1, 1), (2, 1), (1, 2)]


def power_fractions(pictures: Tensor) -> Tensor:
    """Fraction of a picture's spectral power at each of FREQUENCIES, float (8,): the mean over pictures.

    Differentiable. These are the frequencies of the sum of all tiles of 4 x 4 pixels.

    Args:
        pictures: float N x C x H x W in any range, H and W multiples of 4.
    """
    grey = pictures.mean(1)
    grey = grey - grey.mean((1, 2), keepdim=True)
    tile = grey.unflatten(2, (-1, PERIOD)).unflatten(1, (-1, PERIOD)).sum((1, 3))
    total = grey.square().sum((1, 2)) * grey[0].numel()  # Parseval
    power = torch.fft.fft2(tile).abs().square() / total.clamp(min=1e-6)[:, None, None]
    return torch.stack([power[:, y, x] for y, x in FREQUENCIES], 1).mean(0)


def power_in_bands(pictures: Tensor) -> Tensor:
    """Fraction of a picture's spectral power in each of BANDS x BANDS equal bands of |vertical| and |horizontal|
    frequency from 0 to 1/2, flattened: float (BANDS^2,), the mean over pictures.

    Differentiable.

    Args:
        pictures: float N x C x H x W in any range, sides of at least 2 BANDS.
    """
    grey = pictures.mean(1)
    spectrum = torch.fft.fft2(grey - grey.mean((1, 2), keepdim=True))
    power = spectrum.real.square() + spectrum.imag.square()
    down, across = (
        one_hot((torch.fft.fftfreq(side).abs() * 2 * BANDS).long().clamp(max=BANDS - 1), BANDS).to(power)
        for side in grey.shape[1:]
    )
    bands = (down.T @ power @ across).flatten(1)
    return (bands / bands.sum(1, keepdim=True).clamp(min=1e-6)).mean(0)


def grid_power(images: np.ndarray) -> np.ndarray:
    """`power_fractions` of many pictures, float64 (8,)."""
    parts = [images[start : start + 256] for start in range(0, len(images), 256)]
    sums = [power_fractions(torch.from_numpy(part.astype(np.float64))) * len(part) for part in parts]
    return (torch.stack(sums).sum(0) / len(images)).numpy()


def grid(fake: np.ndarray, real: np.ndarray) -> float:
    """Strength of a mesh relative to real pictures, at the worst of FREQUENCIES; 1 means the same."""
    return float((grid_power(fake) / grid_power(real).clip(1e-12)).max())


def contrast(pictures: Tensor) -> Tensor:
    """Contrast of pixels with the background, the median colour of the border, in the channel that differs most.

    Args:
        pictures: float N x 3 x H x W in [-1, 1].

    Returns:
        float32 N x H x W in [0, 2].
    """
    x = pictures.float()
    border = torch.cat([x[:, :, 0], x[:, :, -1], x[:, :, :, 0], x[:, :, :, -1]], dim=2)
    return (x - border.median(2).values.detach()[:, :, None, None]).abs().amax(1)


def pieces_of(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels of 8-connected pieces of ink, uint8 H x W: int32 H x W from 1 on, 0 for no ink; and their pixel counts."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    return labels, statistics[1:, cv2.CC_STAT_AREA]


def pieces_and_holes(image: np.ndarray) -> tuple[int, float]:
    """Number of pieces of a foreground (8-connected ink), and area of enclosed background over that of ink.

    The background is the median colour of the picture's border.

    Args:
        image: uint8 3 x H x W.
    """
    border = np.concatenate([image[:, 0], image[:, -1], image[:, :, 0], image[:, :, -1]], axis=1)
    difference = np.abs(image.astype(np.int16) - np.median(border, axis=1)[:, None, None])
    ink = (difference.max(0) > APART).astype(np.uint8)
    if not ink.any():
        return 0, 0.0
    pieces = int((pieces_of(ink)[1] >= LEAST).sum())
    background = np.pad(1 - ink, 1, constant_values=1)
    _, labels = cv2.connectedComponents(background, connectivity=4)
    enclosed = (background > 0) & (labels != labels[0, 0])
    return pieces, float(enclosed.sum() / ink.sum())


def defects(fake: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Metrics: `grid`, relative to real pictures; `one_piece`, the fraction in one piece; `holes`, the mean ratio."""
    return {"grid": grid(fake, real), **shape_defects(fake)}


def shape_defects(images: np.ndarray) -> dict[str, float]:
    """Of `defects`, those that need no real pictures."""
    counts = [pieces_and_holes(image) for image in images]
    return {
        "one_piece": float(np.mean([pieces == 1 for pieces, _ in counts])),
        "holes": float(np.mean([holes for _, holes in counts])),
    }
