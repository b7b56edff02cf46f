"""Defects that a viewer sees and feature distances do not: a mesh, figures in pieces, holes.

Pictures are uint8 N x 3 x H x W.
"""

from __future__ import annotations

import cv2
import numpy as np

APART = 24  # levels of 255 in a channel: what differs from the ground by more is ink
LEAST = 3  # pixels: smaller components do not count as pieces
# cycles a pixel, down and across: all that has a period of 2 or 4 pixels in both directions, or in one
FREQUENCIES = [(2, 0), (0, 2), (2, 2), (1, 0), (0, 1), (1, 1), (2, 1), (1, 2)]  # quarters


def grid_power(images: np.ndarray) -> np.ndarray:
    """The share of a picture's spectral power at each of FREQUENCIES, float64 (8,): the mean over pictures.

    The sides must be multiples of 4.
    """
    shares = np.zeros(len(FREQUENCIES))
    for start in range(0, len(images), 256):
        grey = images[start : start + 256].mean(1, dtype=np.float64)
        power = np.abs(np.fft.fft2(grey - grey.mean((1, 2), keepdims=True))) ** 2
        power /= power.sum((1, 2), keepdims=True).clip(1e-12)
        rows, columns = (side // 4 for side in grey.shape[1:])
        shares += np.stack([power[:, rows * y, columns * x] for y, x in FREQUENCIES], 1).sum(0)
    return shares / len(images)


def grid(fake: np.ndarray, real: np.ndarray) -> float:
    """How much stronger a mesh is than in real pictures: the worst of FREQUENCIES; 1 is as in these."""
    return float((grid_power(fake) / grid_power(real).clip(1e-12)).max())


def pieces_and_holes(image: np.ndarray) -> tuple[int, float]:
    """In how many pieces a figure is (8-connected ink), and enclosed ground over ink.

    The ground is the median colour of the picture's border.

    Args:
        image: uint8 3 x H x W.
    """
    border = np.concatenate([image[:, 0], image[:, -1], image[:, :, 0], image[:, :, -1]], axis=1)
    apart = np.abs(image.astype(np.int16) - np.median(border, axis=1)[:, None, None])
    ink = (apart.max(0) > APART).astype(np.uint8)
    if not ink.any():
        return 0, 0.0
    _, _, statistics, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    pieces = int((statistics[1:, cv2.CC_STAT_AREA] >= LEAST).sum())
    around = np.pad(1 - ink, 1, constant_values=1)
    _, labels = cv2.connectedComponents(around, connectivity=4)
    enclosed = (around > 0) & (labels != labels[0, 0])
    return pieces, float(enclosed.sum() / ink.sum())


def defects(fake: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """`grid` over that of real pictures, `one_piece`, the share of pictures in one piece, and `holes`, their mean."""
    found = [pieces_and_holes(image) for image in fake]
    return {
        "grid": grid(fake, real),
        "one_piece": float(np.mean([pieces == 1 for pieces, _ in found])),
        "holes": float(np.mean([holes for _, holes in found])),
    }
