"""Sample new pictures from a trained generator's file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from creatures.artifacts import GENERATOR, MIXTURE
from creatures.data.loading import reading
from creatures.data.provenance import ancestors
from creatures.data.tensors import to_uint8
from creatures.data.weights import load_weights
from creatures.latents.mixture import Mixture, load_mixture
from creatures.nets.common.base import Generator
from creatures.nets.generators.registry import build_generator

BATCH = 64
EACH = 16  # in a batch of `generated`


@dataclass(frozen=True)
class Latent:
    """Distribution of z: the mixture, or N(0, I) if there is none.

    Attributes:
        z_dim: length of the part of z that is drawn from N(0, I).
        mixture: over embeddings.
        class_probs: of each class, float64 (K,), sum 1. With them z = (N(0, I), one-hot class):
            M. Mirza and S. Osindero, "Conditional Generative Adversarial Nets", 2014.
    """

    z_dim: int
    mixture: Mixture | None = None
    class_probs: np.ndarray | None = None

    @property
    def length(self) -> int:
        """Length of z."""
        if self.mixture is not None:
            return self.mixture.embedding_dim
        return self.z_dim + (0 if self.class_probs is None else len(self.class_probs))

    @property
    def classes(self) -> int:
        """Number of classes that `draw` returns; 0 for none."""
        if self.mixture is not None:
            return len(self.mixture.weights)
        return 0 if self.class_probs is None else len(self.class_probs)

    def draw(self, count: int, rng: np.random.Generator, truncation: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Sample z, float32 count x length, and the class of each, int (count,): its component or species, or -1.

        Args:
            truncation: factor on every standard deviation.
        """
        if self.mixture is not None:
            return self.mixture.sample(count, rng, truncation)
        z = (rng.standard_normal((count, self.z_dim)) * truncation).astype(np.float32)
        if self.class_probs is None:
            return z, np.full(count, -1)
        chosen = rng.choice(len(self.class_probs), size=count, p=self.class_probs)
        return np.concatenate([z, np.eye(len(self.class_probs), dtype=np.float32)[chosen]], axis=1), chosen

    def draw_each(self, seed: int, numbers: Iterable[int], truncation: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Sample, as `draw` does, the z of pictures that have a number: each depends on its own and the seed alone."""
        drawn = [self.draw(1, np.random.default_rng([seed, number]), truncation) for number in numbers]
        return np.concatenate([z for z, _ in drawn]), np.concatenate([chosen for _, chosen in drawn])


@dataclass(frozen=True)
class Sampler:
    """A generator and the distribution of its z."""

    net: Generator
    latent: Latent

    @torch.no_grad()
    def sample(self, count: int, seed: int, truncation: float = 1.0) -> np.ndarray:
        """Generate pictures, uint8 count x 3 x H x W; the same for the same seed on any device, up to rounding."""
        device = next(self.net.parameters()).device
        z = torch.from_numpy(self.latent.draw(count, np.random.default_rng(seed), truncation)[0])
        return np.concatenate([to_uint8(self.net(part.to(device))) for part in z.split(BATCH)])

    def draw(self, z: np.ndarray) -> np.ndarray:
        """Generate pictures, uint8 N x 3 x H x W, from z, float32 N x Z; see `generated`."""
        return generated(self.net, z)


@torch.no_grad()
def generated(net: Generator, z: np.ndarray) -> np.ndarray:
    """Generate pictures, uint8 N x 3 x H x W, from z, float32 N x Z: on one machine the same bytes in any company.

    The order in which a convolution sums depends on the size of its batch, which is therefore always the same.
    """
    device = next(net.parameters()).device
    padded = np.concatenate([z, np.repeat(z[:1], -len(z) % EACH, axis=0)]).astype(np.float32)
    parts = [to_uint8(net(part.to(device))) for part in torch.from_numpy(padded).split(EACH)]
    return np.concatenate(parts)[: len(z)]


def load_sampler(path: Path = GENERATOR) -> Sampler:
    """Load a sampler from a file that `gan` or `pretrain` wrote; the mixture's file is next to it.

    Raises:
        UserError: a file is missing or damaged, or the two come from different runs.
    """
    tensors, header = load_weights(path)
    with reading(path):
        net, latent = build_generator(header["architecture"]), header["latent"]
        net.load_state_dict(tensors)
        class_probs = np.array(header["shares"]) if header.get("shares") else None
    net = net.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    if latent == "gmm":
        mixture_path = path.with_name(MIXTURE.name)
        mixture = load_mixture(mixture_path)
        ancestors(path, mixture_path)
        return Sampler(net, Latent(net.z_dim, mixture))
    return Sampler(net, Latent(net.z_dim - (0 if class_probs is None else len(class_probs)), None, class_probs))
