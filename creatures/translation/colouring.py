"""Colour outlines with a trained U-Net's file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from creatures.artifacts import COLOURER
from creatures.data.loading import reading
from creatures.data.tensors import to_uint8
from creatures.data.weights import load_weights
from creatures.translation.unet import UNet, draw_noise

BATCH = 64


@dataclass(frozen=True)
class Colourer:
    """A trained U-Net with its settings.

    Attributes:
        noise: name in NOISES of the noise that `colour` draws.
        outline: canny, sketch or mixed: the outlines it was trained on.
        palettes: those of some of its training pictures, float32 N x colours x 4.
    """

    net: UNet
    noise: str
    outline: str
    palettes: Tensor

    @torch.no_grad()
    def colour(self, outlines: np.ndarray, seed: int | None, palettes: np.ndarray | None = None) -> np.ndarray:
        """Colour outlines, uint8 N x H x W, 0 on lines, 255 elsewhere: uint8 N x 3 x H x W.

        Args:
            seed: of the noise and the choice of palettes; None for neither: the same colouring each time.
            palettes: float32 N x colours x 4, to use instead of chosen ones.
        """
        device, count = next(self.net.parameters()).device, len(outlines)
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        noise = draw_noise(self.net, "none" if seed is None else self.noise, count, generator)
        if palettes is not None:
            palette = torch.from_numpy(palettes)
        elif seed is not None and len(self.palettes):
            palette = self.palettes[torch.randint(len(self.palettes), (count,), generator=generator)]
        else:
            palette = torch.zeros(count, self.net.colours, 4)
        parts = zip(*(x.to(device).split(BATCH) for x in (to_lines(outlines), noise, palette)), strict=True)
        return np.concatenate([to_uint8(self.net(*part)) for part in parts])


def to_lines(outlines: np.ndarray) -> Tensor:
    """uint8 outlines N x H x W as float N x 1 x H x W in [-1, 1]."""
    return torch.from_numpy(np.array(outlines)).unsqueeze(1).float() / 127.5 - 1


def load_colourer(path: Path = COLOURER) -> Colourer:
    """Load a colourer from a file that `pix2pix` wrote.

    Raises:
        UserError: it is missing or damaged.
    """
    tensors, header = load_weights(path)
    with reading(path):
        net, p = UNet(**header["architecture"]), header["params"]
        palettes = tensors.pop("palettes")
        net.load_state_dict(tensors)
        net = net.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        return Colourer(net, p["noise"], p["outline"], palettes)
