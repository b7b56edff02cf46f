"""How good a snapshot is: KID of its samples against val, on a network that the discriminator does not see with."""

from __future__ import annotations

from collections.abc import Callable

from stages.lib.nets.base import Generator
from stages.lib.nets.efficientnet_lite import EfficientNetLite
from stages.lib.pictures import Pictures
from stages.lib.sampling import Latent, Sampler
from stages.lib.scores.features import features
from stages.lib.scores.figures import kid
from stages.lib.spread import spread
from stages.lib.training.device import accelerator

LITE = 2


def val_score(pictures: Pictures, latent: Latent, samples: int, seed: int) -> Callable[[Generator], float] | None:
    """A function from a generator to its KID; the same z each time. None where val has fewer than two pictures."""
    rows = spread(pictures.rows("val"), samples)
    if len(rows) < 2:
        return None
    net = EfficientNetLite(LITE).to(accelerator().device)
    real = features(net, pictures.images[rows])
    return lambda generator: kid(features(net, Sampler(generator, latent).sample(samples, seed)), real)[0]
