"""Canny outlines, with thresholds chosen for each picture."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from creatures.outlines.levels import otsu, stretched


def canny(image: np.ndarray, thresholds: Literal["auto"] | list[int] = "auto", factor: float = 1.0) -> np.ndarray:
    """Edges after Canny (1986), in the channel of steepest gradient.

    Args:
        image: uint8, H x W x 3, RGB.
        thresholds: [low, high] of the Sobel gradient's length (0-1442 for steps of
            0-255); auto: high splits this picture's lengths by Otsu's rule,
            low is 0.4 of it.
        factor: on both thresholds: above 1 for fewer lines, below for more.

    Returns:
        uint8, H x W: 0 on edges, 255 elsewhere.
    """
    # merges the two sides of a drawn line, 0.7 px at 64 px; a wider blur loses eyes and mouths
    smooth = cv2.GaussianBlur(image, (0, 0), 0.011 * image.shape[0])
    dx, dy = cv2.Sobel(smooth, cv2.CV_16S, 1, 0), cv2.Sobel(smooth, cv2.CV_16S, 0, 1)
    low, high = gradient_thresholds(dx, dy) if thresholds == "auto" else thresholds
    return 255 - cv2.Canny(dx, dy, factor * low, factor * high, L2gradient=True)


def gradient_thresholds(dx: np.ndarray, dy: np.ndarray) -> tuple[float, float]:
    """Low and high threshold from the lengths of gradients, int16, H x W x 3."""
    length = np.hypot(dx.astype(np.float32), dy).max(axis=2)
    scaled = stretched(length)
    if not scaled.any():
        return 1.0, 1.0
    # never the maximum itself: if all edges are alike, Otsu's rule has nothing to split
    high = min(otsu(scaled[scaled > 0]), 250) * float(length.max()) / 255
    return 0.4 * high, high
