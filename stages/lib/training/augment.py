"""Differentiable augmentation, one draw for each picture of a batch.

S. Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", 2020.
What a picture loses at its border is filled with the background (white, 1.0), so that
nothing foreign leaks into what a generator learns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def _draw(x: Tensor) -> Tensor:
    """Uniform numbers in [0, 1), N x 1 x 1 x 1."""
    return torch.rand(len(x), 1, 1, 1, device=x.device, dtype=x.dtype)


def flip(x: Tensor) -> Tensor:
    """Mirror half of the pictures left to right."""
    return torch.where(_draw(x) < 0.5, x.flip(-1), x)


def colour(x: Tensor) -> Tensor:
    """Brightness by up to 0.2, saturation by a factor of 0.5 to 1.5, contrast 0.75 to 1.25.

    Applied to the figure alone: where a picture is background (white) it stays white.
    """
    ink = (1 - x.amin(1, keepdim=True)).clamp(0, 0.1) * 10
    changed = x + (_draw(x) - 0.5) * 0.4
    grey = changed.mean(1, keepdim=True)
    changed = grey + (changed - grey) * (_draw(x) + 0.5)
    mean = (changed * ink).sum((1, 2, 3), keepdim=True) / (3 * ink.sum((1, 2, 3), keepdim=True)).clamp(min=1)
    changed = mean + (changed - mean) * (_draw(x) * 0.5 + 0.75)
    return x + (changed - x) * ink


def translation(x: Tensor, share: float = 0.125) -> Tensor:
    """Shift by up to `share` of the side in both directions; white comes in."""
    side = x.shape[-1]
    most = max(1, round(side * share))
    shift = torch.randint(-most, most + 1, (2, len(x), 1), device=x.device)
    place = torch.arange(side, device=x.device)
    rows = (place + shift[0] + most).clamp(0, side + 2 * most - 1)
    columns = (place + shift[1] + most).clamp(0, side + 2 * most - 1)
    padded = F.pad(x, (most, most, most, most), value=1.0).permute(0, 2, 3, 1)
    sample = torch.arange(len(x), device=x.device).view(-1, 1, 1)
    return padded[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cutout(x: Tensor, share: float = 0.4) -> Tensor:
    """Paint a square of `share` of the side white."""
    side = x.shape[-1]
    length = round(side * share)
    start = torch.randint(-(length // 2), side - length // 2, (2, len(x), 1), device=x.device)
    place = torch.arange(side, device=x.device)
    hit = (place >= start) & (place < start + length)
    mask = (hit[0][:, :, None] & hit[1][:, None, :]).unsqueeze(1)
    return torch.where(mask, torch.ones_like(x), x)


AUGMENTATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "flip": flip,
    "colour": colour,
    "translation": translation,
    "cutout": cutout,
}


def augment(x: Tensor, policy: Sequence[str]) -> Tensor:
    """Apply augmentations by name, in order, to float pictures N x 3 x H x W in [-1, 1]."""
    for name in policy:
        x = AUGMENTATIONS[name](x)
    return x
