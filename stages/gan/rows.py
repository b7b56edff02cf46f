"""Inputs of a step of the GAN."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from creatures.adversarial.losses import LOSSES
from creatures.training.distributed import micro_batches, shard
from stages.gan.build import Start
from stages.gan.params import GanParams


@dataclass(frozen=True)
class Rows:
    """A batch or micro-batch: one row for a real picture and a fake one.

    Attributes:
        chosen: rows of the real pictures, int N.
        z: latents of the fakes, float32 N x z_dim.
        real_condition, fake_condition: conditions of the discriminator, N x …; None if it is unconditional.
        n_anchored: number of leading rows whose z is the real picture's own embedding.
    """

    chosen: np.ndarray
    z: np.ndarray
    real_condition: np.ndarray | None
    fake_condition: np.ndarray | None
    n_anchored: int

    def parts(self, accumulate: int) -> list[Rows]:
        """Micro-batches."""
        return [
            Rows(
                self.chosen[part],
                self.z[part],
                None if self.real_condition is None else self.real_condition[part],
                None if self.fake_condition is None else self.fake_condition[part],
                len(range(self.n_anchored)[part]),
            )
            for part in micro_batches(len(self.chosen), accumulate)
        ]


def draw_rows(p: GanParams, start: Start, chosen: np.ndarray, rng: np.random.Generator) -> Rows:
    """Draw a batch; return this process's shard of it.

    Args:
        chosen: rows of the real pictures of the whole batch.
    """
    z, classes = start.latent.draw(len(chosen), rng)
    real_condition, n_anchored = None if start.condition is None else start.condition[chosen], 0
    if real_condition is not None and LOSSES[p.loss].paired:  # pairs of equal embeddings
        z = real_condition.copy()
    if start.embeddings is not None and p.handover.anchor:  # half of the fakes are rebuilds
        n_anchored = p.batch // 2
        z[:n_anchored] = start.embeddings[chosen[:n_anchored]]
        if p.condition == "component" and real_condition is not None:
            classes[:n_anchored] = real_condition[:n_anchored]
    fake_condition = None if real_condition is None else z if p.condition == "embedding" else classes
    if n_anchored and fake_condition is z and real_condition is not None:  # which, unlike z, are projected
        fake_condition = np.concatenate([real_condition[:n_anchored], z[n_anchored:]])
    return Rows(
        shard(chosen),
        shard(z),
        None if real_condition is None else shard(real_condition),
        None if fake_condition is None else shard(fake_condition),
        len(shard(np.arange(n_anchored))),
    )
