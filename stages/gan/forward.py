"""Fakes drawn, and both kinds of pictures as the discriminator sees them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from creatures.adversarial.mesh import Mesh
from creatures.adversarial.objective import Batch, DiscriminatorInput, Metrics
from creatures.adversarial.pieces import Pieces
from creatures.data.pictures import Pictures
from creatures.data.tensors import to_float
from creatures.nets.common.base import Discriminator, Generator, shrink
from creatures.training.augment import augment, vary
from creatures.training.schedules import AdaptiveP, blur
from stages.gan.params import GanParams
from stages.gan.rows import Rows


@dataclass
class Forward:
    """What the adversarial step is made of, for the rows of a batch or a part of it.

    Attributes:
        teacher: the generator as pretraining left it, for the anchor of samples; None: rebuilds alone are held.
        adaptive: with what probability pictures are augmented.
    """

    p: GanParams
    pictures: Pictures
    net_g: Generator
    net_d: Discriminator
    teacher: Generator | None
    adaptive: AdaptiveP
    device: torch.device
    mesh: Mesh = field(default_factory=Mesh)
    pieces: Pieces = field(default_factory=Pieces)

    def __call__(self, rows: Rows, sigma: float, anchor: float) -> Batch:
        """Both kinds of pictures blurred by `sigma`; `anchor`: the weight of that loss."""
        source = to_float(self.pictures.images[rows.chosen]).to(self.device)  # N x 3 x H x W in [-1, 1]
        latents = torch.from_numpy(rows.z).to(self.device)  # N x z_dim
        drawn = self.net_g.pyramid(latents)  # N x 3 x H x W, and so on to coarse ones
        fake = self._seen(drawn, rows.fake_condition, sigma)
        with torch.no_grad():
            real = self._seen(shrink(vary(source, self.p.augment.real_ops), len(drawn)), rows.real_condition, sigma)

        def extra() -> tuple[list[Tensor], Metrics]:
            weights = {"mesh": self.p.penalties.mesh, "pieces": self.p.penalties.pieces, "anchor": anchor}
            metrics = {}
            if weights["mesh"]:
                metrics["mesh"] = self.mesh(real.pictures[0], fake.pictures[0])
            if weights["pieces"]:
                metrics["pieces"] = self.pieces(source, drawn[0])
            if rows.n_anchored:
                metrics["anchor"] = self._anchor(rows, source, latents, drawn[0])
            return [weights[name] * metric for name, metric in metrics.items()], metrics

        return Batch(real, fake, extra)

    def _seen(self, images: list[Tensor], given: np.ndarray | None, sigma: float) -> DiscriminatorInput:
        images = augment(blur([x.float() for x in images], sigma), self.p.augment.ops, self.adaptive.p)
        condition = None if given is None else torch.from_numpy(given).to(self.device)
        return DiscriminatorInput(images, self.net_d.features(images), condition)

    def _anchor(self, rows: Rows, source: Tensor, latents: Tensor, drawn: Tensor) -> Tensor:
        goal = source[: rows.n_anchored]
        if self.teacher is not None:  # the others: as pretraining would have drawn them
            with torch.no_grad():
                goal = torch.cat([goal, self.teacher(latents[rows.n_anchored :])])
        return anchor_loss(drawn[: len(goal)], goal, self.p.handover.anchor_px)


def anchor_loss(drawn: Tensor, goal: Tensor, px: int) -> Tensor:
    """How far pictures are from others when both are shrunk to `px`: L1, 0-d.

    It holds shapes and colours where pretraining put them and leaves detail to the
    discriminator. Pictures float N x 3 x H x W in [-1, 1].
    """
    return F.l1_loss(F.adaptive_avg_pool2d(drawn, px), F.adaptive_avg_pool2d(goal, px))
