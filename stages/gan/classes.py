"""The condition of every picture, for conditional networks."""

from __future__ import annotations

import numpy as np

from creatures.data.pictures import Pictures
from creatures.latents.mixture import Mixture
from creatures.runtime.errors import UserError

AT_ONCE = 50_000  # embeddings, which bounds memory


def component_labels(mixture: Mixture, embeddings: np.ndarray) -> np.ndarray:
    """The mixture's component of every picture: int, (N,)."""
    parts = range(0, len(embeddings), AT_ONCE)
    return np.concatenate([mixture.assign(embeddings[i : i + AT_ONCE].astype(np.float64)) for i in parts])


def projected(mixture: Mixture, embeddings: np.ndarray) -> np.ndarray:
    """Embeddings of all pictures, float32 (N, E), projected to what the mixture can sample: by components that it
    never samples, the discriminator could tell real from fake whatever the pictures look like.
    """
    parts = range(0, len(embeddings), AT_ONCE)
    return np.concatenate([mixture.project(embeddings[i : i + AT_ONCE].astype(np.float64)) for i in parts])


def species_labels(pictures: Pictures) -> tuple[np.ndarray, np.ndarray]:
    """The class of every picture, int (N,), -1 for species that are not in train; and each class's fraction of train.

    Raises:
        UserError: nothing in train has a label.
    """
    labels = pictures.column("label")
    in_train = labels[pictures.rows("train")]
    known, counts = np.unique(in_train[in_train >= 0], return_counts=True)
    if not len(known):
        raise UserError("gan.condition is species, but no picture has a label")
    place = np.searchsorted(known, labels).clip(0, len(known) - 1)
    return np.where(known[place] == labels, place, -1), counts / counts.sum()
