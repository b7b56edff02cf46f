"""Adversarial losses, from logits, float N x anything, to a 0-d tensor. A positive logit means real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from creatures.training.distributed import global_batch_size, shard

SMOOTHING = 0.1


@dataclass(frozen=True)
class Loss:
    """A discriminator loss and its generator loss.

    Attributes:
        discriminator: function of the logits of real and of fake pictures.
        generator: function of the logits of fake pictures.
        paired: the generator's takes the differences fake - real instead.
        fixed_zero: a logit of 0 means neither real nor fake, so that its sign can steer augmentation.
        gp: weight of the gradient penalty that belongs to the loss.
        clip: bound on the discriminator's weights; 0 for none.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]
    paired: bool = False
    fixed_zero: bool = True
    gp: float = 0.0
    clip: float = 0.0


def bce_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """I. Goodfellow et al., 2014."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def bce_generator(fake: Tensor) -> Tensor:
    """The non-saturating loss of the same paper."""
    return F.softplus(-fake).mean()


def smooth_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Spread a fraction SMOOTHING of each label over both classes. C. Szegedy et al., 2016, section 7."""
    one, zero = 1 - SMOOTHING / 2, SMOOTHING / 2
    loss_real = F.binary_cross_entropy_with_logits(real, torch.full_like(real, one))
    return loss_real + F.binary_cross_entropy_with_logits(fake, torch.full_like(fake, zero))


def _labels(logits: Tensor) -> Tensor:
    """Random labels from 0 to SMOOTHING, one for each logit."""
    labels = torch.rand(global_batch_size(len(logits)), *logits.shape[1:], device=logits.device, dtype=logits.dtype)
    return SMOOTHING * shard(labels)


def soft_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Labels drawn from 0.9 to 1 for real and 0 to 0.1 for fake. S. Chintala et al., "How to Train a GAN?", 2016.

    Labelling real 0 and fake 1, as some code does, is the same loss with the sign of the logits flipped.
    """
    loss_real = F.binary_cross_entropy_with_logits(real, 1 - _labels(real))
    return loss_real + F.binary_cross_entropy_with_logits(fake, _labels(fake))


def soft_generator(fake: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(fake, 1 - _labels(fake))


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """J. H. Lim and J. C. Ye, "Geometric GAN", 2017."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """M. Arjovsky et al., "Wasserstein GAN", 2017."""
    return fake.mean() - real.mean()


def wasserstein_generator(fake: Tensor) -> Tensor:
    return -fake.mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Pairs of a real and a fake picture. A. Jolicoeur-Martineau, 2018; N. Huang et al. (R3GAN), 2024, eq. 2."""
    return F.softplus(fake - real).mean()


LOSSES: dict[str, Loss] = {
    "bce": Loss(bce_discriminator, bce_generator),
    "bce-smooth": Loss(smooth_discriminator, bce_generator),
    "bce-soft": Loss(soft_discriminator, soft_generator),
    "hinge": Loss(hinge_discriminator, wasserstein_generator),
    "wgan": Loss(wasserstein_discriminator, wasserstein_generator, fixed_zero=False, clip=0.01),
    "wgan-gp": Loss(wasserstein_discriminator, wasserstein_generator, fixed_zero=False, gp=10.0),
    "rpgan": Loss(relativistic_discriminator, bce_generator, paired=True, fixed_zero=False),
}
