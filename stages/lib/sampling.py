"""New pictures from a trained generator's file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from stages.lib.mixture import Mixture, load_mixture
from stages.lib.nets.generators import build_generator
from stages.lib.tensors import to_uint8
from stages.lib.weights import load_weights

BATCH = 64
GAN_FILE, PRETRAIN_FILE = Path("models/gan.safetensors"), Path("models/pretrain.safetensors")


@dataclass(frozen=True)
class Latent:
    """z ~ the mixture, or N(0, I) where there is none."""

    z_dim: int
    mixture: Mixture | None = None

    def __call__(self, count: int, rng: np.random.Generator, truncation: float = 1.0) -> np.ndarray:
        """float32, count x z_dim; truncation is the factor on every deviation."""
        if self.mixture is not None:
            return self.mixture.sample(count, rng, truncation)
        return (rng.standard_normal((count, self.z_dim)) * truncation).astype(np.float32)


@dataclass(frozen=True)
class Sampler:
    """A generator and what its z is drawn from."""

    net: nn.Module
    latent: Latent

    @torch.no_grad()
    def sample(self, count: int, seed: int, truncation: float = 1.0) -> np.ndarray:
        """uint8, count x 3 x H x W; the same for the same seed, whatever the device but for rounding."""
        device = next(self.net.parameters()).device
        z = torch.from_numpy(self.latent(count, np.random.default_rng(seed), truncation))
        return np.concatenate([to_uint8(self.net(part.to(device))) for part in z.split(BATCH)])


def load_sampler(path: Path = GAN_FILE) -> Sampler:
    """The sampler of a file that `gan` or `pretrain` wrote; the mixture comes from models/gmm.npz.

    Raises:
        UserError: a file is missing or not of this project.
    """
    tensors, header = load_weights(path)
    net = build_generator(header["architecture"])
    net.load_state_dict(tensors)
    net = net.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    mixture = load_mixture() if header["latent"] == "gmm" else None
    return Sampler(net, Latent(header["architecture"]["z_dim"], mixture))
