"""The condition of every picture, for conditional networks."""

from __future__ import annotations

import numpy as np

from creatures.latents.mixture import Mixture

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
