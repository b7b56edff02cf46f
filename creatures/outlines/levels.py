"""Thresholds derived from the picture itself."""

from __future__ import annotations

import cv2
import numpy as np


def otsu(values: np.ndarray) -> float:
    """The level that best splits values into two groups (Otsu 1979).

    Args:
        values: uint8, any shape, not empty.

    Returns:
        0-255; the upper group lies above it.
    """
    return cv2.threshold(np.ascontiguousarray(values).reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)[0]


def stretched(values: np.ndarray) -> np.ndarray:
    """Scale values so that their maximum becomes 255: uint8; all 0 if they are all 0."""
    return np.round(values * (255 / max(float(values.max()), 1e-9))).astype(np.uint8)
