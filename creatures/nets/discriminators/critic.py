"""Score the realism of pictures with a trained discriminator's file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from creatures.artifacts import DISCRIMINATOR
from creatures.data.loading import reading
from creatures.data.tensors import to_float
from creatures.data.weights import frozen_weights, load_weights, save_weights
from creatures.latents.sampler import BATCH
from creatures.nets.common.base import Discriminator, shrink
from creatures.nets.discriminators.registry import DISCRIMINATORS


@dataclass(frozen=True)
class Critic:
    """A trained discriminator and how it is conditioned.

    Attributes:
        condition: as gan.condition.
        sizes: number of levels of its input pyramid.
    """

    net: Discriminator
    condition: str
    sizes: int

    @torch.no_grad()
    def logits(self, images: np.ndarray, z: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Mean logit over all heads, float32 (N,): the higher, the more real.

        Args:
            images: uint8 N x 3 x H x W.
            z, classes: what they were generated from, as `Latent.draw` returns them.
        """
        logits = []
        for start in range(0, len(images), BATCH):
            rows = slice(start, start + BATCH)
            condition = None if self.condition == "none" else (z if self.condition == "embedding" else classes)[rows]
            features = self.net.features(shrink(to_float(images[rows]), self.sizes))
            logits.append(self.net.discriminate(features, None if condition is None else torch.from_numpy(condition)))
        return torch.cat(logits).float().flatten(1).mean(1).numpy()


def save_critic(
    net: nn.Module, architecture: dict[str, Any], condition: str, sizes: int, made_from: dict[str, str]
) -> None:
    """Write trained and random weights, but not pretrained ones that come from a package.

    Args:
        architecture: its name in DISCRIMINATORS, and arguments.
    """
    frozen = frozen_weights(net)
    tensors = {name: value for name, value in net.state_dict().items() if name not in frozen}
    header = {"architecture": architecture, "condition": condition, "sizes": sizes, "made_from": made_from}
    save_weights(DISCRIMINATOR, tensors, header)


def load_critic(path: Path = DISCRIMINATOR) -> Critic:
    """Load a discriminator that `save_critic` wrote.

    Raises:
        UserError: it is missing or damaged.
    """
    tensors, header = load_weights(path)
    with reading(path):
        arguments = dict(header["architecture"])
        net = DISCRIMINATORS[arguments.pop("name")](**arguments)
        mismatch = net.load_state_dict(tensors, strict=False)
        if mismatch.unexpected_keys or set(mismatch.missing_keys) - frozen_weights(net):
            raise ValueError("the layers are others")
        return Critic(net.eval().requires_grad_(False), header["condition"], header["sizes"])
