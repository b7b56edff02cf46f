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
    """Real and fake pictures, and the generator's losses beside the adversarial one.

    Attributes:
        fake: as the generator drew it, with its graph where the generator is to learn.
        extra: those losses, each with its weight, 0-d, and what there is to log of them.
    """

    real: DiscriminatorInput
    fake: DiscriminatorInput
    extra: Callable[[], tuple[list[Tensor], Metrics]]


class Adversarial:
    """Both networks' steps, with the loss and all that goes with it.

    Args:
        net_d: some of its weights may be frozen.
        loss: a name of LOSSES.
        penalties: weights by names of PENALTIES.
        penalty_every: they are computed every so many steps, so many times as strong. T. Karras et al.,
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
            forward: draws the fakes and shows both to the discriminator, for a part of the batch. Once for
                both networks if there is but one; else anew for the generator, to hold one graph at a time.
            parts: of the batch, of one size: their gradients make up the step. What is measured over a batch,
                such as BatchNorm's statistics and averages of penalties, is then measured over each of them.

        Returns:
            What there is to log: means over the batch, 0-d.
        """
        metrics, once = Means(len(parts)), len(parts) == 1
        self.opt_d.zero_grad()
        for part in parts:
            with self.accelerate.autocast():
                with torch.set_grad_enabled(train_g and once):
                    batch = forward(part)
                with cached():  # one spectral norm of each weight for real and fake
                    loss, found = self.discriminator_loss(batch, step % self.penalty_every == 0)
            self.accelerate.backward(loss / len(parts))
            metrics.add(loss_d=loss, **found)
        self.opt_d.step()
        if self.loss.clip:
            with torch.no_grad():
                for weight in self.trained:
                    weight.clamp_(-self.loss.clip, self.loss.clip)
        if not train_g:
            return metrics.found

        for weight in self.trained:
            weight.requires_grad_(False)
        self.opt_g.zero_grad()
        for part in parts:
            with self.accelerate.autocast():
                if not once:
                    batch = forward(part)
                loss = self.generator_loss(batch)
                extra, found = batch.extra()
            self.accelerate.backward(sum(extra, start=loss) / len(parts))
            metrics.add(loss_g=loss, **found)
        self.opt_g.step()
        for weight in self.trained:
            weight.requires_grad_(True)
        return metrics.found

    def discriminator_loss(self, batch: Batch, penalised: bool) -> tuple[Tensor, Metrics]:
        """The loss with its penalties, 0-d, and what there is to log."""
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
            with torch.autocast(on_real.device.type, enabled=False):  # the gradient itself is what is measured
                metrics[name] = PENALTIES[name](partial(logits, self.net_d, condition), real.pictures, fake.pictures)
            loss = loss + weight * self.penalty_every * metrics[name]
        return loss, metrics

    def generator_loss(self, batch: Batch) -> Tensor:
        """The adversarial loss, 0-d; the features of the fakes lead back to the generator."""
        found = self.net_d.discriminate(batch.fake.features, batch.fake.condition).float()
        if self.loss.paired:
            found = found - self.net_d.discriminate(batch.real.features, batch.real.condition).float()
        return self.loss.generator(found)


def logits(net_d: Discriminator, condition: Any, pictures: list[Tensor]) -> Tensor:
    """Logits, past the forward that Accelerate has put autocast around."""
    return net_d.discriminate(net_d.features(pictures), condition)
