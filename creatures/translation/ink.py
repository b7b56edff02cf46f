"""Colourings with the lines of the drawing on top, at any size, as painters lay ink over flat colours."""

from __future__ import annotations

import cv2
import numpy as np

from creatures.translation.regions import from_nearest

DARK = 0.15  # brightness of ink relative to the colour below it
MEDIAN = 3  # pixels: side of the filter against specks beside lines


def inked(colouring: np.ndarray, outline: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Enlarge a colouring and lay ink over it.

    What was painted on lines is replaced by the nearest colours beside them, so that the ink covers flat colours.

    Args:
        colouring: uint8, 3 x h x w.
        outline: the lines that were coloured, uint8 h x w: 0 on lines, 255 elsewhere.
        ink: float, H x W in [0, 1], 1 on lines.

    Returns:
        uint8, 3 x H x W.
    """
    image = np.ascontiguousarray(colouring.transpose(1, 2, 0))
    lines = cv2.dilate((outline == 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    if not lines.all():
        image = cv2.medianBlur(from_nearest(image, lines == 0), MEDIAN)
    large = cv2.resize(image, ink.shape[::-1], interpolation=cv2.INTER_CUBIC).astype(np.float32)
    covered = ink[..., None].clip(0, 1)
    return (large * (1 - covered) + large * DARK * covered).round().clip(0, 255).astype(np.uint8).transpose(2, 0, 1)
