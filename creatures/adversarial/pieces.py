"""A penalty on foregrounds that lie in pieces."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from creatures.metrics.defects import APART, LEAST, pieces_of
from creatures.training.distributed import all_reduce_mean


class Pieces:
    """How much the ink apart from a picture's largest piece differs from the ground: mean over pictures, 0-d.

    In [0, 2], whatever the size of that ink: for a speck is as visible as a hand beside its arm. 0 where fakes are in
    pieces no more often than real pictures, as moving averages. Which pixels these are has no gradient, their colour
    has: it takes them to the ground, and what is left of a hand the discriminator wants back where real ones are.
    """

    DECAY = 0.98

    def __init__(self) -> None:
        self.averages: Tensor | None = None  # fractions of real and of fake pictures that are in pieces, (2,)

    def __call__(self, real: Tensor, fake: Tensor) -> Tensor:
        """Pictures float N x 3 x H x W in [-1, 1]."""
        of_real, of_fake = ink_apart(contrast(real.detach())), ink_apart(contrast(fake.detach()))
        now = all_reduce_mean(torch.stack([found.flatten(1).any(1).float().mean() for found in (of_real, of_fake)]))
        self.averages = now if self.averages is None else self.averages.to(now.device).lerp(now, 1 - self.DECAY)
        visible = (contrast(fake) * of_fake).sum((1, 2)) / of_fake.sum((1, 2)).clamp(min=1)
        return visible.mean() * (self.averages[1] > self.averages[0])

    def state_dict(self) -> dict[str, Tensor | None]:
        return {"averages": self.averages}

    def load_state_dict(self, state: dict[str, Tensor | None]) -> None:
        self.averages = state["averages"]


def contrast(pictures: Tensor) -> Tensor:
    """By how much pixels differ from the ground, the median colour of the border, in the channel that differs most.

    Args:
        pictures: float N x 3 x H x W in [-1, 1].

    Returns:
        float32 N x H x W in [0, 2].
    """
    x = pictures.float()
    border = torch.cat([x[:, :, 0], x[:, :, -1], x[:, :, :, 0], x[:, :, :, -1]], dim=2)
    return (x - border.median(2).values.detach()[:, :, None, None]).abs().amax(1)


def ink_apart(contrasts: Tensor) -> Tensor:
    """Where there is ink in pieces other than the largest, as `one_piece` counts them: bool N x H x W."""
    inks = (contrasts > APART / 127.5).cpu().numpy().astype(np.uint8)
    apart = np.zeros(inks.shape, bool)
    for ink, mask in zip(inks, apart, strict=True):
        labels, sizes = pieces_of(ink)
        counted = np.flatnonzero(sizes >= LEAST)
        if len(counted) > 1:
            mask[:] = np.isin(labels, 1 + counted[counted != sizes.argmax()])
    return torch.from_numpy(apart).to(contrasts.device)
