"""What a step of the GAN is made of, before any network has seen it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from creatures.training.distributed import micro_batches, share
from stages.gan.build import Start
from stages.gan.params import GanParams


@dataclass(frozen=True)
class Rows:
    """A batch, or a part of it: one row for a real picture and a fake one.

    Attributes:
        chosen: the real pictures, int N.
        z: latents of the fakes, float32 N x z_dim.
        real_condition, fake_condition: what the discriminator is told of them, N x anything; None without.
        anchored: of so many rows at the beginning, z is the real picture's own embedding.
    """

    chosen: np.ndarray
    z: np.ndarray
    real_condition: np.ndarray | None
    fake_condition: np.ndarray | None
    anchored: int

    def parts(self, accumulate: int) -> list[Rows]:
        """Micro-batches."""
        return [
            Rows(
                self.chosen[part],
                self.z[part],
                None if self.real_condition is None else self.real_condition[part],
                None if self.fake_condition is None else self.fake_condition[part],
                len(range(self.anchored)[part]),
            )
            for part in micro_batches(len(self.chosen), accumulate)
        ]


def draw_rows(p: GanParams, start: Start, chosen: np.ndarray, rng: np.random.Generator) -> Rows:
    """This process's share of a batch of so many latents.

    Args:
        chosen: the real pictures of the whole batch.
    """
    z, classes = start.latent.draw(len(chosen), rng)
    real_condition, anchored = None if start.told is None else start.told[chosen], 0
    if start.embeddings is not None and p.handover.anchor:  # half of the fakes are rebuilds
        anchored = p.batch // 2
        z[:anchored] = start.embeddings[chosen[:anchored]]
        if p.condition == "component" and real_condition is not None:
            classes[:anchored] = real_condition[:anchored]
    fake_condition = None if real_condition is None else z if p.condition == "embedding" else classes
    return Rows(
        share(chosen),
        share(z),
        None if real_condition is None else share(real_condition),
        None if fake_condition is None else share(fake_condition),
        len(share(np.arange(anchored))),
    )
