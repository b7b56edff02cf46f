"""Adversarial losses: logits, float N x anything, to a 0-d tensor. A positive logit says real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Loss:
    """A pair of losses.

    Attributes:
        discriminator: of the logits of real and of fake pictures.
        generator: of the logits of fake pictures.
        penalised: whether the discriminator also pays a gradient penalty.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]
    penalised: bool = False


def bce_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """I. Goodfellow et al., 2014."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def bce_generator(fake: Tensor) -> Tensor:
    """The non-saturating form of the same paper."""
    return F.softplus(-fake).mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """J. H. Lim and J. C. Ye, "Geometric GAN", 2017."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """M. Arjovsky et al., 2017."""
    return fake.mean() - real.mean()


def wasserstein_generator(fake: Tensor) -> Tensor:
    return -fake.mean()


LOSSES: dict[str, Loss] = {
    "bce": Loss(bce_discriminator, bce_generator),
    "hinge": Loss(hinge_discriminator, wasserstein_generator),
    "wgan-gp": Loss(wasserstein_discriminator, wasserstein_generator, penalised=True),
}


def gradient_penalty(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """I. Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, eq. 3 without its weight."""
    share = torch.rand(len(real), 1, 1, 1, device=real.device)
    between = (share * real + (1 - share) * fake).detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(discriminator(between).flatten(1).mean(1).sum(), between, create_graph=True)
    return ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()
