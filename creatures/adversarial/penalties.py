"""Penalties on the discriminator, 0-d and unweighted: on its gradient, and LeCam's on its logits.

Gradient penalties take a function from pictures (a list, fine to coarse) to logits, and real and fake
pictures: float N x 3 x H x W in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from creatures.training.distributed import all_reduce_mean, global_batch_size, shard

Logits = Callable[[list[Tensor]], Tensor]


def _squared_gradient(logits: Logits, pictures: list[Tensor]) -> Tensor:
    """|d logit / d pictures|^2 of each row, float N, summed over the pictures of a row."""
    inputs = [x.detach().requires_grad_(True) for x in pictures]
    with torch.compiler.set_stance("force_eager"):  # a compiled network cannot be differentiated twice
        gradients = torch.autograd.grad(logits(inputs).flatten(1).mean(1).sum(), inputs, create_graph=True)
    return torch.stack([g.square().sum((1, 2, 3)) for g in gradients]).sum(0)


def gp(logits: Logits, real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """I. Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, eq. 3."""
    alpha = shard(torch.rand(global_batch_size(len(real[0])), 1, 1, 1, device=real[0].device))
    mixed = [alpha * x + (1 - alpha) * y for x, y in zip(real, fake, strict=True)]
    # the derivative of the square root is infinite at 0
    return ((_squared_gradient(logits, mixed) + 1e-12).sqrt() - 1).square().mean()


def r1(logits: Logits, real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """At real pictures. L. Mescheder et al., "Which Training Methods for GANs do actually Converge?", 2018, eq. 9."""
    return 0.5 * _squared_gradient(logits, real).mean()


def r2(logits: Logits, real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """At fake pictures: eq. 10 of the same paper."""
    return 0.5 * _squared_gradient(logits, fake).mean()


PENALTIES: dict[str, Callable[[Logits, list[Tensor], list[Tensor]], Tensor]] = {"gp": gp, "r1": r1, "r2": r2}


class LeCam:
    """Keep logits of real pictures near the average of those of fake ones, and vice versa, against overfitting.

    H.-Y. Tseng et al., "Regularizing Generative Adversarial Networks under Limited Data",
    2021, eq. 5, with an average for each of the discriminator's heads.
    """

    DECAY = 0.99

    def __init__(self) -> None:
        self.averages: list[Tensor] = []

    def __call__(self, on_real: Tensor, on_fake: Tensor) -> Tensor:
        """The penalty for logits, float N x heads."""
        means = [all_reduce_mean(x.detach().float().mean(0)) for x in (on_real, on_fake)]
        averages = [average.to(on_real.device) for average in self.averages] or means
        self.averages = [average.lerp(mean, 1 - self.DECAY) for average, mean in zip(averages, means, strict=True)]
        real, fake = self.averages
        return (on_real - fake).square().mean() + (on_fake - real).square().mean()

    def state_dict(self) -> dict[str, list[Tensor]]:
        return {"averages": self.averages}

    def load_state_dict(self, state: dict[str, list[Tensor]]) -> None:
        self.averages = state["averages"]
