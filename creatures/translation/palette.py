"""Colour palettes of foregrounds."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image

from creatures.outlines.sketch import silhouette

KMEANS = 5  # the median cut is refined until fewer pixels than this change their colour


def palette_of(picture: np.ndarray, colours: int) -> np.ndarray:
    """The colours of a picture's foreground, the most frequent first.

    By P. Heckbert's median cut ("Color Image Quantization for Frame Buffer Display", 1982) and k-means.

    Args:
        picture: uint8, 3 x H x W.

    Returns:
        float32, colours x 4: RGB in [-1, 1] and its fraction of the foreground; zeros in unused rows.
    """
    image = np.ascontiguousarray(picture.transpose(1, 2, 0))
    palette, pixels = np.zeros((colours, 4), np.float32), image[silhouette(image) > 0]
    if not colours or not len(pixels):
        return palette
    quantised = Image.fromarray(pixels[None]).quantize(colours, Image.Quantize.MEDIANCUT, KMEANS)
    rgb = np.array(quantised.getpalette(), np.float32).reshape(-1, 3) / 127.5 - 1
    counts = np.bincount(np.asarray(quantised).ravel(), minlength=len(rgb))
    for i, index in enumerate(np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]):
        palette[i] = (*rgb[index], counts[index] / len(pixels))
    return palette


def palettes_of(pictures: Iterable[np.ndarray], colours: int) -> np.ndarray:
    """The palettes of several pictures: float32, N x colours x 4."""
    return np.stack([palette_of(picture, colours) for picture in pictures])
