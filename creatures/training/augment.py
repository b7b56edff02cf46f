"""Augmentation, drawn independently for each picture of a batch.

Differentiable ones apply to the discriminator's inputs, real and fake: S. Zhao et al.,
"Differentiable Augmentation for Data-Efficient GAN Training", 2020, and, if each is
applied with a probability p, T. Karras et al., "Training GANs with Limited Data", 2020.
Gaps at a picture's border are filled with its background, the colour of its corner, and
the background keeps its colour, so that no artefacts leak into what the generator learns.
Pictures without a background, such as photos (`is_full_bleed`), are recoloured as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms.functional import gaussian_blur

from creatures.data.pictures import Pictures, evenly_spaced
from creatures.training.distributed import global_batch_size, shard

FAINT = 12  # levels that a background may differ from its colour
BORDER_SHARE = 0.95  # fraction of the border in one colour that makes it the background
SOME = 500  # pictures to look at
DRAWS = 4  # uniform numbers in [0, 1) for each picture and augmentation


def _ground(x: Tensor) -> Tensor:
    """Background of each picture, N x 3 x 1 x 1: its first pixel, which is background if `clean` left a margin."""
    return x[..., :1, :1].detach()


def is_full_bleed(pictures: Pictures) -> bool:
    """Whether most pictures of train have no background: their borders are not of one colour."""
    images = pictures.images[evenly_spaced(pictures.rows("train"), SOME)]
    border = np.concatenate([images[:, :, 0], images[:, :, -1], images[..., 0], images[..., -1]], axis=2)
    off = np.abs(border - np.median(border, axis=2, keepdims=True)).max(axis=1)
    return bool(np.mean((off <= FAINT).mean(axis=1) < BORDER_SHARE) > 0.5)


def _recolour(x: Tensor, brightness: Tensor, saturation: Tensor, contrast: Tensor, whole: bool) -> Tensor:
    """Add `brightness`, multiply by the others; the background stays as it is, unless `whole`."""
    ink = (x - _ground(x)).abs().amax(1, keepdim=True).clamp(0, 0.1) * 10
    if whole:
        ink = torch.ones_like(ink)
    changed = x + brightness
    grey = changed.mean(1, keepdim=True)
    changed = grey + (changed - grey) * saturation
    mean = (changed * ink).sum((1, 2, 3), keepdim=True) / (3 * ink.sum((1, 2, 3), keepdim=True)).clamp(min=1)
    changed = mean + (changed - mean) * contrast
    return x + (changed - x) * ink


def flip(x: Tensor, u: Tensor) -> Tensor:
    """Mirror half of the pictures left to right."""
    return torch.where(u[0] < 0.5, x.flip(-1), x)


def colour(x: Tensor, u: Tensor, whole: bool = False) -> Tensor:
    """Brightness by up to 0.2, saturation by a factor of 0.5 to 1.5, contrast 0.75 to 1.25."""
    return _recolour(x, (u[0] - 0.5) * 0.4, u[1] + 0.5, u[2] * 0.5 + 0.75, whole)


def translation(x: Tensor, u: Tensor, ratio: float = 0.125) -> Tensor:
    """Shift by up to `ratio` of the side in both directions; fill with background."""
    side = x.shape[-1]
    most = max(1, round(side * ratio))
    shift = ((2 * u[:2, :, :, 0, 0] - 1) * ratio * side).round().long()  # 2 x N x 1
    place = torch.arange(side, device=x.device)
    rows = (place + shift[0] + most).clamp(0, side + 2 * most - 1)
    columns = (place + shift[1] + most).clamp(0, side + 2 * most - 1)
    ground = _ground(x)
    padded = (F.pad(x - ground, (most, most, most, most)) + ground).permute(0, 2, 3, 1)
    sample = torch.arange(len(x), device=x.device).view(-1, 1, 1)
    return padded[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cutout(x: Tensor, u: Tensor, ratio: float = 0.4) -> Tensor:
    """Paint a square of `ratio` of the side as background."""
    side = x.shape[-1]
    length = round(side * ratio)
    start = (u[:2, :, :, 0, 0] * side).floor() - length // 2  # 2 x N x 1
    place = torch.arange(side, device=x.device)
    hit = (place >= start) & (place < start + length)
    mask = (hit[0][:, :, None] & hit[1][:, None, :]).unsqueeze(1)
    return torch.where(mask, _ground(x), x)


def jitter(x: Tensor, u: Tensor, whole: bool = False) -> Tensor:
    """Brightness by up to 0.5, saturation and contrast by factors of 0.5 to 1.5."""
    return _recolour(x, u[0] - 0.5, u[1] + 0.5, u[2] + 0.5, whole)


def elastic(x: Tensor, u: Tensor, strength: float = 50.0, smooth: float = 5.0) -> Tensor:
    """Displace every pixel by a smooth random field; fill with background.

    P. Simard et al., 2003; `strength` and `smooth`, the standard deviation of the smoothing, are those of
    torchvision's ElasticTransform for pictures of 64 pixels; other sizes use the same field, resized.
    """
    side, px = x.shape[-1], 64
    field = shard(torch.rand(global_batch_size(len(x)), 2, px, px, device=x.device, dtype=x.dtype)) * 2 - 1
    field = gaussian_blur(field, [2 * int(4 * smooth) + 1] * 2, [smooth, smooth]) * (strength / px)
    field = F.interpolate(field, size=(side, side), mode="bilinear", align_corners=False)
    identity = F.affine_grid(torch.eye(2, 3, device=x.device).expand(len(x), 2, 3), list(x.shape), align_corners=False)
    ground = _ground(x)
    return F.grid_sample(x - ground, identity + field.permute(0, 2, 3, 1), align_corners=False) + ground


AUGMENTATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "flip": flip,
    "colour": colour,
    "translation": translation,
    "cutout": cutout,
}
OF_PICTURES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"flip": flip, "jitter": jitter, "elastic": elastic}
OF_WHOLE = {"colour": partial(colour, whole=True), "jitter": partial(jitter, whole=True)}  # in place of those above


def _draws(pictures: Tensor) -> Tensor:
    """Uniform numbers in [0, 1), DRAWS x N x 1 x 1 x 1."""
    u = torch.rand(DRAWS, global_batch_size(len(pictures)), 1, 1, 1, device=pictures.device, dtype=pictures.dtype)
    return shard(u, dim=1)


def augment(pictures: list[Tensor], policy: Sequence[str], p: float = 1.0, full_bleed: bool = False) -> list[Tensor]:
    """Apply AUGMENTATIONS by name, in order, each with probability p to each picture.

    Args:
        pictures: float N x 3 x H x W in [-1, 1], at one or more sizes; all sizes of a picture
            are changed in the same way.
        full_bleed: whether they have no background.
    """
    functions = AUGMENTATIONS | OF_WHOLE if full_bleed else AUGMENTATIONS
    for name in policy:
        u = _draws(pictures[0])
        changed = [functions[name](x, u) for x in pictures]
        if p < 1:
            pictures = [torch.where(u[-1] < p, new, x) for new, x in zip(changed, pictures, strict=True)]
        else:
            pictures = changed
    return pictures


def vary(x: Tensor, policy: Sequence[str], full_bleed: bool = False) -> Tensor:
    """Augment real pictures: each stays as it is or gets one of OF_PICTURES, all with equal probability."""
    if not policy:
        return x
    functions = OF_PICTURES | OF_WHOLE if full_bleed else OF_PICTURES
    choice = shard(torch.randint(len(policy) + 1, (global_batch_size(len(x)), 1, 1, 1), device=x.device))
    for number, name in enumerate(policy, start=1):
        x = torch.where(choice == number, functions[name](x, _draws(x)), x)
    return x
