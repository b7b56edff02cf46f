"""One step of adversarial training: the discriminator's, then the generator's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn.utils.parametrize import cached

from creatures.adversarial.losses import LOSSES
from creatures.adversarial.penalties import PENALTIES, LeCam
from creatures.nets.common.base import Discriminator
from creatures.training.distributed import Means

Metrics = dict[str, Tensor]
Part = TypeVar("Part")


@dataclass(frozen=True)
class DiscriminatorInput:
    """A batch as the discriminator sees it.

    Attributes:
        pictures: augmented, float N x 3 x H x W in [-1, 1], fine to coarse.
        features: `net_d.features` of them.
        condition: of the discriminator, N x anything; None for an unconditional one.
    """

    pictures: list[Tensor]
    features: list[Tensor]
    condition: Tensor | None


@dataclass(frozen=True)
class Batch:
    """Real and fake pictures, and the generator's losses in addition to the adversarial one.

    Attributes:
        fake: output of the generator, with its graph if the generator is to be trained.
        extra: returns those losses, weighted, 0-d, and the metrics to log.
    """

    real: DiscriminatorInput
    fake: DiscriminatorInput
    extra: Callable[[], tuple[list[Tensor], Metrics]]


class Adversarial:
    """Training steps of both networks, with the loss and its penalties.

    Args:
        net_d: some of its weights may be frozen.
        loss: a name in LOSSES.
        penalties: weights by names in PENALTIES.
        penalty_every: steps between two computations, and factor on each (lazy regularisation). T. Karras et al.,
            "Analyzing and Improving the Image Quality of StyleGAN", 2020, section 3.1.
        lecam: weight of LeCam's penalty.
    """

    def __init__(
        self,
        accelerate: Accelerator,
        net_d: Discriminator,
        opt_g: torch.optim.Optimizer,
        opt_d: torch.optim.Optimizer,
        loss: str,
        penalties: Mapping[str, float],
        penalty_every: int = 1,
        lecam: float = 0.0,
    ) -> None:
        self.accelerate, self.net_d, self.opt_g, self.opt_d = accelerate, net_d, opt_g, opt_d
        self.loss, self.penalties, self.penalty_every = LOSSES[loss], penalties, penalty_every
        self.lecam, self.lecam_weight = LeCam(), lecam
        self.trained = [weight for weight in net_d.parameters() if weight.requires_grad]

    def step(self, forward: Callable[[Part], Batch], parts: Sequence[Part], step: int, train_g: bool = True) -> Metrics:
        """Train the discriminator, then, with `train_g`, the generator against it.

        Args:
            forward: generates the fakes and prepares both inputs of the discriminator, for a part of the batch.
                Called once for both networks if there is only one part; otherwise again for the generator, so that
                only one graph is in memory at a time.
            parts: micro-batches of equal size, whose gradients are accumulated. Batch statistics, such as those of
                BatchNorm and the averages of penalties, are computed over each of them.

        Returns:
            Metrics to log: means over the batch, 0-d.
        """
        metrics, single = Means(len(parts)), len(parts) == 1
        self.opt_d.zero_grad()
        for part in parts:
            with self.accelerate.autocast():
                with torch.set_grad_enabled(train_g and single):
                    batch = forward(part)
                with cached():  # each weight's spectral norm is computed once for real and fake
                    loss, stats = self.discriminator_loss(batch, step % self.penalty_every == 0)
            self.accelerate.backward(loss / len(parts))
            metrics.add(loss_d=loss, **stats)
        self.opt_d.step()
        if self.loss.clip:
            with torch.no_grad():
                for weight in self.trained:
                    weight.clamp_(-self.loss.clip, self.loss.clip)
        if not train_g:
            return metrics.means

        for weight in self.trained:
            weight.requires_grad_(False)
        self.opt_g.zero_grad()
        for part in parts:
            with self.accelerate.autocast():
                if not single:
                    batch = forward(part)
                loss = self.generator_loss(batch)
                extra, stats = batch.extra()
            self.accelerate.backward(sum(extra, start=loss) / len(parts))
            metrics.add(loss_g=loss, **stats)
        self.opt_g.step()
        for weight in self.trained:
            weight.requires_grad_(True)
        return metrics.means

    def discriminator_loss(self, batch: Batch, penalised: bool) -> tuple[Tensor, Metrics]:
        """The loss with its penalties, 0-d, and the metrics to log."""
        real, fake = batch.real, batch.fake
        on_real = self.net_d.discriminate(real.features, real.condition).float()
        on_fake = self.net_d.discriminate([x.detach() for x in fake.features], fake.condition).float()
        loss = self.loss.discriminator(on_real, on_fake)
        metrics = {"d_real": on_real.mean(), "d_fake": on_fake.mean(), "d_sign": on_real.detach().sign().mean()}
        if self.lecam_weight:
            metrics["lecam"] = self.lecam(on_real, on_fake)
            loss = loss + self.lecam_weight * metrics["lecam"]
        for name, weight in self.penalties.items() if penalised else ():
            condition = fake.condition if name == "r2" else real.condition
            with torch.autocast(on_real.device.type, enabled=False):  # the gradient itself is penalised
                metrics[name] = PENALTIES[name](partial(logits, self.net_d, condition), real.pictures, fake.pictures)
            loss = loss + weight * self.penalty_every * metrics[name]
        return loss, metrics

    def generator_loss(self, batch: Batch) -> Tensor:
        """The adversarial loss, 0-d; the features of the fakes carry the generator's graph."""
        on_fake = self.net_d.discriminate(batch.fake.features, batch.fake.condition).float()
        if self.loss.paired:
            on_fake = on_fake - self.net_d.discriminate(batch.real.features, batch.real.condition).float()
        return self.loss.generator(on_fake)


def logits(net_d: Discriminator, condition: Any, pictures: list[Tensor]) -> Tensor:
    """Logits, bypassing the forward that Accelerate has wrapped in autocast."""
    return net_d.discriminate(net_d.features(pictures), condition)
