"""How good a snapshot is: KID of its samples against val, on a network that the discriminator does not see with, and
their visible defects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from creatures.data.pictures import Pictures, evenly_spaced
from creatures.latents.sampler import Latent, Sampler
from creatures.metrics.defects import defects
from creatures.metrics.features import features
from creatures.metrics.scores import kid
from creatures.nets.common.base import Generator
from creatures.nets.frozen.efficientnet_lite import EfficientNetLite
from creatures.training.device import accelerator

Score = Callable[[Generator], dict[str, Any]]
LITE = 2
REFERENCE = 1000  # train pictures that a mesh is measured against


def val_score(pictures: Pictures, latent: Latent, samples: int, seed: int) -> Score | None:
    """`val_kid`, `grid`, `one_piece` and `holes` of samples of a generator, of the same z each time.

    None where val has fewer than two pictures.
    """
    rows = evenly_spaced(pictures.rows("val"), samples)
    if len(rows) < 2:
        return None
    net = EfficientNetLite(LITE).to(accelerator().device)
    real = features(net, pictures.images[rows])
    train = pictures.images[evenly_spaced(pictures.rows("train"), REFERENCE)]

    def score(generator: Generator) -> dict[str, Any]:
        drawn = Sampler(generator, latent).sample(samples, seed)
        return {"val_kid": kid(features(net, drawn), real)[0], **defects(drawn, train)}

    return score
