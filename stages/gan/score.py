"""Score of a snapshot: KID of its samples against val, and train where val is small, on a network that the
discriminator does not use, and their visible defects.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from creatures.data.pictures import Pictures, evenly_spaced
from creatures.latents.sampler import Latent, Sampler
from creatures.metrics.defects import defects, shape_defects
from creatures.metrics.features import features
from creatures.metrics.scores import kid
from creatures.nets.common.base import Generator
from creatures.nets.frozen.efficientnet_lite import EfficientNetLite
from creatures.training.device import accelerator

Score = Callable[[Generator], dict[str, Any]]
LITE = 2
REFERENCE = 1000  # train pictures that the mesh artefact is measured against
ENOUGH = 100  # pictures: KID against fewer differs from that against many by as much as snapshots differ
PIECES = 0.1  # KID that is as bad as all pictures in pieces ...
MESH = 0.1  # ... or as twice the `grid`, from VISIBLE on
VISIBLE = 2.0  # `grid` of a mesh that can be seen


def reference_rows(pictures: Pictures, most: int) -> np.ndarray:
    """Rows of val, at most `most`; where there are two or more but fewer than ENOUGH, rows of train fill up to it."""
    val = evenly_spaced(pictures.rows("val"), most)
    if len(val) < 2:
        return val
    return np.concatenate([val, evenly_spaced(pictures.rows("train"), max(0, min(most, ENOUGH) - len(val)))])


def val_score(pictures: Pictures, latent: Latent, samples: int, seed: int) -> Score | None:
    """Function of a generator: `val_kid`, `grid`, `one_piece` and `holes` of its samples, from the same z each time.

    Where val has fewer than ENOUGH pictures, some of train are with them. None if val has fewer than two.
    """
    rows = reference_rows(pictures, samples)
    if len(rows) < 2:
        return None
    net = EfficientNetLite(LITE).to(accelerator().device)
    real = features(net, pictures.images[rows])
    train = pictures.images[evenly_spaced(pictures.rows("train"), REFERENCE)]

    def score(generator: Generator) -> dict[str, Any]:
        fake = Sampler(generator, latent).sample(samples, seed)
        return {"val_kid": kid(features(net, fake), real)[0], **defects(fake, train)}

    return score


def val_cost(pictures: Pictures, samples: int) -> Callable[[dict[str, Any]], float]:
    """Function of such metrics that snapshots are chosen by, the lower the better: KID, pictures in pieces, as far as
    those it is measured against are not, and a mesh that can be seen. KID alone sees neither, nor a background that is
    not plain.
    """
    rows = reference_rows(pictures, samples)
    real = shape_defects(pictures.images[rows])["one_piece"] if len(rows) else 0.0

    def cost(metrics: dict[str, Any]) -> float:
        pieces = max(0.0, real - metrics["one_piece"])
        mesh = math.log2(max(1.0, metrics["grid"] / VISIBLE))
        return float(metrics["val_kid"] + PIECES * pieces + MESH * mesh)

    return cost
