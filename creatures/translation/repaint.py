"""Colourings painted again over a larger outline of the same drawing."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from creatures.translation.colouring import Colourer
from creatures.translation.hints import none, put_point
from creatures.translation.palette import palettes_of
from creatures.translation.regions import deepest, regions_of

LINE = 5  # pixels at a side of 128: what is painted again around regions, for the lines between them


def repainted(
    colourer: Colourer, outline: np.ndarray, small: np.ndarray, hints: np.ndarray | None = None
) -> np.ndarray:
    """Paint colourings again, sharper; the small ones decide the colours.

    In a larger picture the network, whose layers see as many pixels as before, sees less of the figure, and does not
    know as well what colour a part has, or whether it is a part at all. So each region has its colour in the small
    colouring as a hint, and outside the small colouring stays, enlarged.

    Args:
        colourer: takes hints.
        outline: uint8, H x W, H and W larger than h and w.
        small: uint8, N x 3 x h x w.
        hints: float32, 4 x H x W, as the user put them, which take the place of the regions' own; or None.

    Returns:
        uint8, N x 3 x H x W.
    """
    labels, side = regions_of(outline), outline.shape[0]
    large = np.stack([enlarged(picture, side) for picture in small])
    if not labels.any():
        return large
    given = np.repeat((none(side) if hints is None else hints)[None], len(small), axis=0)
    for label in range(1, labels.max() + 1):
        region = labels == label
        if hints is None or not hints[3, region].any():
            place = deepest(region)
            for picture, own in zip(large, given, strict=True):
                put_point(own, place, np.median(picture[:, region], axis=1))
    palettes = palettes_of(small, colourer.net.colours)
    fine = colourer.colour(np.repeat(outline[None], len(small), axis=0), None, palettes, given)
    around = np.ones((LINE * side // 128 | 1,) * 2, np.uint8)
    return np.where(cv2.dilate((labels > 0).astype(np.uint8), around) > 0, fine, large)


def enlarged(picture: np.ndarray, side: int) -> np.ndarray:
    """A picture, uint8 3 x H x W, as 3 x side x side."""
    if picture.shape[1] == side:
        return picture
    large = Image.fromarray(picture.transpose(1, 2, 0)).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(large).transpose(2, 0, 1)
