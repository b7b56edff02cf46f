"""Fingerprints that near copies are recognised by: a perceptual hash, and colours at 16 x 16."""

from __future__ import annotations

import numpy as np
from PIL import Image

SIDE, KEPT = 32, 8
THUMB_PX = 16
# The first rows of the DCT-II, unscaled
DCT = np.cos(np.pi * np.outer(np.arange(KEPT), 2 * np.arange(SIDE) + 1) / (2 * SIDE))


def phash(picture: Image.Image) -> int:
    """The 64-bit perceptual hash of `imagehash.phash` (Zauner 2010): which of the 8 x 8 lowest
    frequencies of the 32 x 32 grey picture are above their median, most significant bit first.
    """
    grey = np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS), np.float64)
    low = DCT @ grey @ DCT.T
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes(), "big")


def thumb(picture: Image.Image) -> bytes:
    """An RGB picture's colours at THUMB_PX x THUMB_PX, each the mean of its area: 768 bytes."""
    return picture.resize((THUMB_PX, THUMB_PX), Image.Resampling.BOX).tobytes()
