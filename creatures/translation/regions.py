"""Regions of an outline: the areas that its lines enclose."""

from __future__ import annotations

import cv2
import numpy as np

GAP = 1.5  # pixels at a side of 64: gaps of up to twice as much between lines do not join regions
LEAST = 6  # pixels at a side of 64: smaller areas are no regions


def regions_of(outline: np.ndarray) -> np.ndarray:
    """Label the regions of an outline.

    Their cores are the areas that a ball of radius GAP can roll in, as in S.-H. Zhang et al., "Vectorizing Cartoon
    Animations", 2009; what lies between is of the nearest core. The areas that reach the border are outside.

    Args:
        outline: uint8, H x W: 0 on lines, 255 elsewhere.

    Returns:
        int32, H x W: 1, 2 … by area, the largest first; 0 on lines and outside.
    """
    scale = outline.shape[0] / 64
    free = (outline > 0).astype(np.uint8)
    depth = cv2.distanceTransform(free, cv2.DIST_L2, 5)
    core = (depth > GAP * scale).astype(np.uint8)
    if not core.any():
        return np.zeros(outline.shape, np.int32)
    _, nearest = cv2.distanceTransformWithLabels(1 - core, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP)
    labels = np.where(free > 0, nearest, 0)
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    areas = np.bincount(labels.ravel())
    areas[np.union1d(border, [0])] = 0
    order = np.argsort(-areas, kind="stable")[: np.count_nonzero(areas >= LEAST * scale**2)]
    ranks = np.zeros(len(areas), np.int32)
    ranks[order] = np.arange(1, len(order) + 1)
    return ranks[labels]


def from_nearest(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The values, H x W x C, at the nearest pixel of a mask, bool H x W with at least one."""
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((nearest.max() + 1, values.shape[2]), values.dtype)
    table[nearest[known]] = values[known]
    return table[nearest]


def deepest(mask: np.ndarray) -> tuple[int, int]:
    """Row and column of the pixel of a mask, bool H x W with at least one, that is farthest from its edge."""
    depth = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(row), int(column)
