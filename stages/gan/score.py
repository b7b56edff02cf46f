"""Score of a snapshot: KID of its samples against val, on a network that the discriminator does not use, and their
visible defects.
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
REFERENCE = 1000  # train pictures that the mesh artefact is measured against


def val_score(pictures: Pictures, latent: Latent, samples: int, seed: int) -> Score | None:
    """Function of a generator: `val_kid`, `grid`, `one_piece` and `holes` of its samples, from the same z each time.

    None if val has fewer than two pictures.
    """
    rows = evenly_spaced(pictures.rows("val"), samples)
    if len(rows) < 2:
        return None
    net = EfficientNetLite(LITE).to(accelerator().device)
    real = features(net, pictures.images[rows])
    train = pictures.images[evenly_spaced(pictures.rows("train"), REFERENCE)]

    def score(generator: Generator) -> dict[str, Any]:
        fake = Sampler(generator, latent).sample(samples, seed)
        return {"val_kid": kid(features(net, fake), real)[0], **defects(fake, train)}

    return score
