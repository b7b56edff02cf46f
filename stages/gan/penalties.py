"""Penalties on the discriminator's gradient, 0-d and without their weights.

Each takes a function from pictures (a list, fine to coarse) to logits, and real and fake
pictures: float N x 3 x H x W in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Logits = Callable[[list[Tensor]], Tensor]


def _squared_gradient(logits: Logits, pictures: list[Tensor]) -> Tensor:
    """|d logit / d pictures|^2 of each row, float N, summed over the pictures of a row."""
    at = [x.detach().requires_grad_(True) for x in pictures]
    gradients = torch.autograd.grad(logits(at).flatten(1).mean(1).sum(), at, create_graph=True)
    return torch.stack([g.square().sum((1, 2, 3)) for g in gradients]).sum(0)


def gp(logits: Logits, real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """I. Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, eq. 3."""
    share = torch.rand(len(real[0]), 1, 1, 1, device=real[0].device)
    between = [share * x + (1 - share) * y for x, y in zip(real, fake, strict=True)]
    # the root's derivative is infinite at 0
    return ((_squared_gradient(logits, between) + 1e-12).sqrt() - 1).square().mean()


def r1(logits: Logits, real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """At real pictures. L. Mescheder et al., "Which Training Methods for GANs do actually Converge?", 2018, eq. 9."""
    return 0.5 * _squared_gradient(logits, real).mean()


def r2(logits: Logits, real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """At fake pictures: eq. 10 of the same paper."""
    return 0.5 * _squared_gradient(logits, fake).mean()


PENALTIES: dict[str, Callable[[Logits, list[Tensor], list[Tensor]], Tensor]] = {"gp": gp, "r1": r1, "r2": r2}
