"""Sprites from generated pictures: the background cut away, few colours, enlarged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from creatures.decoding.matting import cut_background


@dataclass(frozen=True)
class Style:
    """Look of a written picture.

    Attributes:
        transparent: whether the background around the figure is cut away.
        holes: whether background that the figure encloses is, too.
        colours: size of each picture's palette: cut out, indexed, with hard edges; 0: no palette.
        scale: factor of enlargement.
    """

    transparent: bool = False
    holes: bool = False
    colours: int = 0
    scale: int = 1

    def apply(self, picture: np.ndarray) -> Image.Image:
        """A picture, uint8 3 x H x W, as RGB, RGBA or P (indexed)."""
        pixels = np.ascontiguousarray(picture.transpose(1, 2, 0))
        if self.colours:
            image = indexed(cut_background(pixels, self.holes), self.colours)
        elif self.transparent:
            image = Image.fromarray(cut_background(pixels, self.holes))
        else:
            image = Image.fromarray(pixels)
        kernel = Image.Resampling.NEAREST if self.colours else Image.Resampling.BICUBIC
        size = (image.width * self.scale, image.height * self.scale)
        return image if self.scale == 1 else image.resize(size, kernel)


def indexed(pixels: np.ndarray, colours: int) -> Image.Image:
    """RGBA pixels with a palette of at most `colours` of their own, and hard edges; index 0 is transparent."""
    solid = pixels[:, :, 3] >= 128
    index = np.zeros(solid.shape, np.uint8)
    palette = np.zeros((1, 3), np.uint8)
    if solid.any():
        own = Image.fromarray(np.ascontiguousarray(pixels[solid][None, :, :3]))
        few = own.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=3, dither=Image.Dither.NONE)
        index[solid] = np.asarray(few)[0] + 1
        palette = np.concatenate([palette, np.array(few.getpalette(), np.uint8).reshape(-1, 3)[:colours]])
    image = Image.fromarray(index, "P")
    image.putpalette(palette.ravel().tolist())
    image.info["transparency"] = 0
    return image
