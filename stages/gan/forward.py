"""Forward pass: samples fakes, and makes the discriminator's inputs of real and fake pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from creatures.adversarial.colours import colour_penalty
from creatures.adversarial.mesh import mesh_penalty, spectrum_penalty
from creatures.adversarial.mmd import MMD
from creatures.adversarial.objective import Batch, DiscriminatorInput, Metrics
from creatures.adversarial.pieces import Pieces
from creatures.adversarial.statistic import StatisticPenalty
from creatures.data.pictures import Pictures
from creatures.data.tensors import to_float
from creatures.nets.common.base import Discriminator, Generator, shrink
from creatures.training.augment import augment, is_full_bleed, vary
from creatures.training.schedules import AdaptiveP, blur
from stages.gan.params import GanParams
from stages.gan.rows import Rows

Penalty = StatisticPenalty | MMD | Pieces


def penalties_of_generator() -> dict[str, Penalty]:
    """Those that compare fake pictures with real ones, by their names in params.yaml."""
    return {
        "mesh": mesh_penalty(),
        "spectrum": spectrum_penalty(),
        "mmd": MMD(),
        "pieces": Pieces(),
        "colours": colour_penalty(),
    }


@dataclass
class Forward:
    """Forward pass of the adversarial step, for the rows of a batch or a micro-batch.

    Attributes:
        teacher: the generator as pretraining left it, which anchors samples; None: only rebuilds are anchored.
        adaptive: the probability of augmentations.
        penalties: of the generator; their weights are in `p`.
    """

    p: GanParams
    pictures: Pictures
    net_g: Generator
    net_d: Discriminator
    teacher: Generator | None
    adaptive: AdaptiveP
    device: torch.device
    penalties: dict[str, Penalty] = field(default_factory=penalties_of_generator)

    def __post_init__(self) -> None:
        self.full_bleed = is_full_bleed(self.pictures)

    def __call__(self, rows: Rows, sigma: float, anchor: float) -> Batch:
        """Real and fake inputs, blurred by `sigma` pixels; `anchor`: weight of the anchor loss."""
        source = to_float(self.pictures.images[rows.chosen]).to(self.device)  # N x 3 x H x W in [-1, 1]
        latents = torch.from_numpy(rows.z).to(self.device)  # N x z_dim
        pyramid = self.net_g.pyramid(latents)  # N x 3 x H x W, then coarser ones
        fake = self._input(pyramid, rows.fake_condition, sigma)
        with torch.no_grad():
            real = self._input(
                shrink(vary(source, self.p.augment.real_ops, self.full_bleed), len(pyramid)), rows.real_condition, sigma
            )

        def extra() -> tuple[list[Tensor], Metrics]:
            weights = {name: getattr(self.p.penalties, name) for name in self.penalties}
            weights |= {"mmd": weights["mmd"] * self.net_d.pools, "anchor": anchor}
            plain, seen = (source, pyramid[0]), (real.pictures[0], fake.pictures[0])
            pairs = {"mesh": seen, "spectrum": seen, "mmd": (real.features[-1], fake.features[-1])}
            pairs |= {"pieces": plain, "colours": plain}
            metrics = {name: penalty(*pairs[name]) for name, penalty in self.penalties.items() if weights[name]}
            if rows.n_anchored:
                metrics["anchor"] = self._anchor(rows, source, latents, pyramid[0])
            return [weights[name] * metric for name, metric in metrics.items()], metrics

        return Batch(real, fake, extra)

    def _input(self, images: list[Tensor], conditions: np.ndarray | None, sigma: float) -> DiscriminatorInput:
        images = augment(blur([x.float() for x in images], sigma), self.p.augment.ops, self.adaptive.p, self.full_bleed)
        condition = None if conditions is None else torch.from_numpy(conditions).to(self.device)
        return DiscriminatorInput(images, self.net_d.features(images), condition)

    def _anchor(self, rows: Rows, source: Tensor, latents: Tensor, fake: Tensor) -> Tensor:
        target = source[: rows.n_anchored]
        if self.teacher is not None:  # the others: as the pretrained generator draws them
            with torch.no_grad():
                target = torch.cat([target, self.teacher(latents[rows.n_anchored :])])
        return anchor_loss(fake[: len(target)], target, self.p.handover.anchor_px)


def anchor_loss(fake: Tensor, target: Tensor, px: int) -> Tensor:
    """L1 distance, 0-d, between pictures and their targets, both downsampled to `px`.

    Keeps shapes and colours where pretraining put them and leaves detail to the
    discriminator. Pictures float N x 3 x H x W in [-1, 1].
    """
    return F.l1_loss(F.adaptive_avg_pool2d(fake, px), F.adaptive_avg_pool2d(target, px))
