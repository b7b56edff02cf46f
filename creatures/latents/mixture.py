"""Gaussian mixture over embeddings, from which the latents of new pictures are sampled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from scipy.linalg import solve_triangular

from creatures.artifacts import MIXTURE
from creatures.data.loading import reading
from creatures.runtime.atomic import atomic_file


@dataclass(frozen=True)
class Mixture:
    """Gaussian mixture in the whitened principal components of the embeddings, and the map back to embeddings.

    Attributes:
        weights: float64 (K,), sum 1.
        means: float64 (K, D), in principal components.
        factors: float64 (K, D, D): lower triangular, factors @ factors.T is the covariance.
        centre: float64 (E,), the mean embedding.
        back: float64 (D, E): embedding = centre + components @ back.
    """

    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray
    centre: np.ndarray
    back: np.ndarray

    @property
    def embedding_dim(self) -> int:
        return len(self.centre)

    def sample(self, count: int, rng: np.random.Generator, truncation: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Sample embeddings: for each a component, by weight, then a point from its Gaussian.

        Args:
            truncation: factor on the standard deviation of every Gaussian; below 1 samples are
                closer to the means: more typical, less varied.

        Returns:
            Embeddings, float32 count x E, and the component of each, int (count,).
        """
        chosen = rng.choice(len(self.weights), size=count, p=self.weights)
        noise = rng.standard_normal((count, self.means.shape[1])) * truncation
        points = self.means[chosen] + np.einsum("nij,nj->ni", self.factors[chosen], noise)
        return (self.centre + points @ self.back).astype(np.float32), chosen

    def components_of(self, embeddings: np.ndarray) -> np.ndarray:
        """Principal components, float64 N x D, of embeddings, N x E."""
        return (embeddings - self.centre) @ np.linalg.pinv(self.back)

    def project(self, embeddings: np.ndarray) -> np.ndarray:
        """Project embeddings, N x E, onto the principal components, which all samples lie in: float32 N x E."""
        return (self.centre + self.components_of(embeddings) @ self.back).astype(np.float32)

    def assign(self, embeddings: np.ndarray) -> np.ndarray:
        """The most likely component of each embedding, N x E: int (N,)."""
        points = self.components_of(embeddings)
        scores = []
        for weight, mean, factor in zip(self.weights, self.means, self.factors, strict=True):
            white = solve_triangular(factor, (points - mean).T, lower=True)
            scores.append(np.log(max(weight, 1e-300)) - np.log(np.diag(factor)).sum() - 0.5 * (white**2).sum(0))
        return np.argmax(scores, axis=0)


def save_mixture(path: Path, mixture: Mixture, made_from: Mapping[str, str] | None = None) -> None:
    """Write a mixture as npz, with the digests of the files it was made from; byte-stable."""
    arrays = asdict(mixture)
    if made_from is not None:
        arrays["made_from"] = np.array(json.dumps(made_from, sort_keys=True))
    with atomic_file(path) as part:
        np.savez(part, **arrays)


def load_mixture(path: Path = MIXTURE) -> Mixture:
    """Read a file that `save_mixture` wrote, without unpickling.

    Raises:
        UserError: it is missing or damaged.
    """
    with reading(path), np.load(path, allow_pickle=False) as arrays:
        return Mixture(**{field.name: arrays[field.name] for field in fields(Mixture)})
