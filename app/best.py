"""Pick the best of many generated pictures: whole foregrounds, realistic ones first."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from creatures.data.provenance import ancestors
from creatures.metrics.defects import pieces_and_holes
from creatures.nets.discriminators.critic import load_critic


class RealismScorer:
    """Score the realism of pictures with the discriminator that the generator was trained against.

    S. Azadi et al., "Discriminator Rejection Sampling", 2019, accept samples by their logits; here a fraction is kept.

    Args:
        path: the discriminator's file.
        generator: the generator's file.

    Raises:
        UserError: the discriminator is missing, damaged, or from another run than the generator.
    """

    def __init__(self, path: Path, generator: Path) -> None:
        ancestors(path, generator)
        self.critic = load_critic(path)

    def best(self, images: np.ndarray, z: np.ndarray, classes: np.ndarray, count: int) -> np.ndarray:
        """Rows, ascending, of the `count` with the highest logits among those in one piece; others if these are fewer.

        Args:
            images: uint8 N x 3 x H x W.
            z, classes: what they were generated from.
        """
        in_pieces = np.array([pieces_and_holes(image)[0] != 1 for image in images])
        return np.sort(np.lexsort((-self.critic.logits(images, z, classes), in_pieces))[:count])
