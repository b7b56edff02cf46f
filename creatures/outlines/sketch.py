"""Outlines of few straight strokes, like those of a hand drawing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import cv2
import numpy as np

from creatures.outlines.levels import otsu, stretched

Auto = Literal["auto"]


def sketch(image: np.ndarray, level: Auto | int = "auto", epsilon: Auto | float = "auto") -> np.ndarray:
    """Contours simplified by Douglas and Peucker (1973), with lines of thickness 2 at 256 px.

    Args:
        image: uint8, H x W x 3, RGB.
        level: greys up to it are the foreground, whose contours are drawn; auto: the
            foreground's outline, then the edges of dark areas inside it, at levels chosen
            for this picture.
        epsilon: how far strokes may deviate from the contour, as a fraction of its arc length;
            auto: 0.005, within 0.7 to 1.2 px of a 64 px picture.

    Returns:
        uint8, H x W: 0 on strokes, 255 elsewhere.
    """
    side = image.shape[0]
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    mask = foreground_mask(image) if level == "auto" else (grey <= level).astype(np.uint8)
    outlines = contours(mask)
    strokes = [(c, True) for c in outlines if len(c) >= side / 16] or [(c, True) for c in outlines]  # no specks
    if level == "auto":
        strokes += inner_strokes(grey, mask)

    paper = np.full_like(grey, 255)
    for points, closed in strokes:
        arc = cv2.arcLength(points, closed)
        deviation = min(max(0.005 * arc, 0.7 * side / 64), 1.2 * side / 64) if epsilon == "auto" else epsilon * arc
        corners = cv2.approxPolyDP(points, deviation, closed)
        cv2.polylines(paper, [corners], closed, 0, thickness=max(1, round(side / 128)))
    return paper


def contours(mask: np.ndarray, mode: int = cv2.RETR_LIST) -> list[np.ndarray]:
    """All pixels of each contour, outer ones and those of holes: int32, n x 1 x 2 (x, y)."""
    return list(cv2.findContours(mask, mode, cv2.CHAIN_APPROX_NONE)[0])


def foreground_mask(image: np.ndarray) -> np.ndarray:
    """Foreground mask of a picture: uint8, H x W, 1 inside.

    The background is the median colour of the border. The level starts at Otsu's and is
    lowered until the contours enclose 97 % of all that differs from the background, so that
    light parts of the foreground are included.
    """
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    background = np.median(border, axis=0).astype(np.int16)
    difference = stretched(np.abs(image - background).max(axis=2))
    differs = difference > 12  # 5 % of the picture's own contrast
    level = otsu(difference)
    while True:
        mask = (difference > level).astype(np.uint8)
        filled = cv2.drawContours(np.zeros_like(mask), contours(mask, cv2.RETR_EXTERNAL), -1, 1, cv2.FILLED)
        if level <= 12 or filled[differs].mean() >= 0.97:
            return mask
        level -= 10


def silhouette(image: np.ndarray) -> np.ndarray:
    """Foreground mask with its holes filled: uint8, H x W, 1 inside, of an image uint8, H x W x 3."""
    mask = foreground_mask(image)
    return cv2.drawContours(np.zeros_like(mask), contours(mask, cv2.RETR_EXTERNAL), -1, 1, cv2.FILLED)


def inner_strokes(grey: np.ndarray, mask: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    """Contours of dark areas inside the foreground, as (points, closed).

    The level splits the greys inside by Otsu's rule. Contours are cut where they come
    closer to the foreground's outline than a drawn line is wide (2.5 px at 64 px), or they
    would draw the outline twice.
    """
    depth = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    inside = depth > 2.5 * grey.shape[0] / 64
    if not inside.any():
        return
    dark = (grey <= otsu(grey[inside])) & (mask > 0)
    shortest = grey.shape[0] / 16
    for contour in contours(dark.astype(np.uint8)):
        if len(contour) < shortest:
            continue
        for run, closed in cyclic_runs(inside[contour[:, 0, 1], contour[:, 0, 0]]):
            if len(run) >= shortest:
                yield contour[run], closed


def cyclic_runs(keep: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    """Unbroken runs of True in a ring, as (indices, whether it is the whole ring)."""
    if keep.all():
        yield np.arange(len(keep)), True
        return
    gaps = np.flatnonzero(~keep)
    ends = [*gaps[1:], gaps[0] + len(keep)]
    for gap, end in zip(gaps, ends, strict=False):
        if end - gap > 1:
            yield np.arange(gap + 1, end) % len(keep), False
