"""Augment outlines to look hand-drawn: other lines, other widths, gaps, a shaky hand."""

from __future__ import annotations

import cv2
import numpy as np

from creatures.outlines.canny import canny
from creatures.outlines.sketch import sketch

GRID = 4  # independent displacements per side: a hand's errors are smooth


def by_hand(outline: np.ndarray, image: np.ndarray, kind: str, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Vary an outline at random.

    Args:
        outline: uint8, H x W: 0 on lines, 255 elsewhere.
        image: the picture that it outlines, uint8, H x W x 3.
        kind: canny or sketch.
        strength: 0 to 1: each change has half of this probability, and displacements scale with it.
    """
    side = outline.shape[0]
    scale = side / 64
    if rng.random() < strength / 2:
        outline = traced_anew(image, kind, rng)
    lines = 255 - outline
    if rng.random() < strength / 2:
        lines = cv2.dilate(lines, np.ones((max(2, round(rng.choice([2, 2, 3]) * scale)),) * 2, np.uint8))
    if rng.random() < strength / 2:
        lines = with_gaps(lines, rng, scale)
    if rng.random() < strength / 2:
        lines = shaken(lines, rng, strength * 1.5 * scale)
    return 255 - lines


def traced_anew(image: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Trace the picture's outline again, with parameters varied at random."""
    if kind == "sketch":
        return sketch(image, epsilon=float(rng.uniform(0.002, 0.01)))
    return canny(image, factor=float(np.exp(rng.uniform(-0.5, 0.7))))


def with_gaps(lines: np.ndarray, rng: np.random.Generator, scale: float) -> np.ndarray:
    """Lines (255 on 0) with one to four gaps."""
    places = np.argwhere(lines)
    lines = lines.copy()
    for row, column in places[rng.integers(len(places), size=rng.integers(1, 5))] if len(places) else ():
        cv2.circle(lines, (int(column), int(row)), round(rng.uniform(1.5, 4) * scale), 0, cv2.FILLED)
    return lines


def shaken(lines: np.ndarray, rng: np.random.Generator, most: float) -> np.ndarray:
    """Lines (255 on 0) moved by a smooth random field of up to `most` pixels."""
    side = lines.shape[0]
    field = cv2.resize(rng.uniform(-most, most, (GRID, GRID, 2)).astype(np.float32), (side, side))
    place = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).astype(np.float32)
    moved = cv2.remap(lines, place + field, None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
    return np.where(moved > 100, np.uint8(255), np.uint8(0))
