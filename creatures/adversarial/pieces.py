"""Penalty on foregrounds that fall into disconnected pieces."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from creatures.metrics.defects import APART, LEAST, contrast, pieces_of
from creatures.training.distributed import all_reduce_mean


class Pieces:
    """Contrast with the background of all ink outside a picture's largest piece: mean over pictures, 0-d.

    In [0, 2], regardless of how much ink that is: a speck is as visible as a hand detached from its arm. 0 while, as
    moving averages, fakes are in pieces no more often than real pictures. Only the colour of these pixels has a
    gradient, not their choice: it fades them into the background, and the discriminator restores what is then missing,
    such as a hand, where real pictures have it.
    """

    DECAY = 0.98

    def __init__(self) -> None:
        self.averages: Tensor | None = None  # fractions of real and of fake pictures that are in pieces, (2,)

    def __call__(self, real: Tensor, fake: Tensor) -> Tensor:
        """The penalty for pictures, float N x 3 x H x W in [-1, 1]."""
        mask_real, mask_fake = ink_apart(contrast(real.detach())), ink_apart(contrast(fake.detach()))
        means = all_reduce_mean(torch.stack([x.flatten(1).any(1).float().mean() for x in (mask_real, mask_fake)]))
        self.averages = means if self.averages is None else self.averages.to(means.device).lerp(means, 1 - self.DECAY)
        visible = (contrast(fake) * mask_fake).sum((1, 2)) / mask_fake.sum((1, 2)).clamp(min=1)
        return visible.mean() * (self.averages[1] > self.averages[0])

    def state_dict(self) -> dict[str, Tensor | None]:
        return {"averages": self.averages}

    def load_state_dict(self, state: dict[str, Tensor | None]) -> None:
        self.averages = state["averages"]


def ink_apart(contrasts: Tensor) -> Tensor:
    """Mask of the ink outside the largest piece, with pieces counted as in `one_piece`: bool N x H x W."""
    inks = (contrasts > APART / 127.5).cpu().numpy().astype(np.uint8)
    apart = np.zeros(inks.shape, bool)
    for ink, mask in zip(inks, apart, strict=True):
        labels, sizes = pieces_of(ink)
        counted = np.flatnonzero(sizes >= LEAST)
        if len(counted) > 1:
            mask[:] = np.isin(labels, 1 + counted[counted != sizes.argmax()])
    return torch.from_numpy(apart).to(contrasts.device)
