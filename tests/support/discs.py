"""A coloured disc and its outline."""

from __future__ import annotations

import cv2
import numpy as np


def disc(side: int = 32, radius: int = 10, colour: tuple[int, int, int] = (200, 60, 40)) -> np.ndarray:
    """uint8, side x side x 3."""
    image = np.full((side, side, 3), 255, np.uint8)
    cv2.circle(image, (side // 2, side // 2), radius, colour, cv2.FILLED)
    cv2.circle(image, (side // 2, side // 2), radius, (20, 20, 20), 1)
    return image


def paper(side: int = 32, radius: int = 10) -> np.ndarray:
    """The outline of `disc`: uint8, side x side, 0 on 255."""
    outline = np.full((side, side), 255, np.uint8)
    cv2.circle(outline, (side // 2, side // 2), radius, 0, 1)
    return outline
