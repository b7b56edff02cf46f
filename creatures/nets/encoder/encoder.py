"""The encoder: a timm ResNet trained as a classifier, then frozen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from creatures.artifacts import ENCODER
from creatures.data.loading import reading
from creatures.data.weights import load_weights
from creatures.nets.frozen.fold import fold_batchnorm

NAME = re.compile(r"[\w.]+", re.ASCII)  # not hf-hub:… or local-dir:…, which timm would read
STEM = 2
# timm's names of the layers after the stem, by their strides
LAYERS = {4: "layer1", 8: "layer2", 16: "layer3", 32: "layer4"}


class Encoder(nn.Module):
    """ResNet → average pool → normalisation → linear.

    While training, embeddings are normalised by their batch, with no affine
    parameters and no running statistics. After `freeze_normalisation` they are
    normalised by the mean and variance of the train set, so that a picture's
    embedding does not depend on the others in its batch.
    """

    mean: Tensor
    var: Tensor
    frozen: Tensor
    backbone: Any  # timm's networks have no common type

    def __init__(self, backbone: str = "resnet34", classes: int = 2, pretrained: bool = False) -> None:
        super().__init__()
        self.backbone = timm.create_model(backbone, pretrained=pretrained, num_classes=0)
        self.embedding_dim = int(self.backbone.num_features)
        self.by_batch = nn.BatchNorm1d(self.embedding_dim, affine=False, track_running_stats=False)
        self.head = nn.Linear(self.embedding_dim, classes)
        self.register_buffer("mean", torch.zeros(self.embedding_dim))
        self.register_buffer("var", torch.ones(self.embedding_dim))
        self.register_buffer("frozen", torch.tensor(False))

    def feature_maps(self, x: Tensor, strides: Sequence[int]) -> list[Tensor]:
        """The maps at the given strides, fine to coarse, of x, float N x 3 x H x W in [-1, 1]."""
        net = self.backbone
        x = net.act1(net.bn1(net.conv1(x)))
        maps, x = [x] if STEM in strides else [], net.maxpool(x)
        for stride, name in LAYERS.items():
            if stride > max(strides):
                break
            x = getattr(net, name)(x)
            if stride in strides:
                maps.append(x)
        return maps

    def pooled(self, x: Tensor) -> Tensor:
        """Average-pooled features before normalisation: float N x embedding_dim."""
        return self.backbone(x)

    def normalise(self, pooled: Tensor) -> Tensor:
        """Pooled features with zero mean and unit variance: over the batch in training, else over the train set."""
        if self.training and not self.frozen:
            return self.by_batch(pooled)
        return (pooled - self.mean) / (self.var + 1e-5).sqrt()

    def forward(self, x: Tensor) -> Tensor:
        """Embedding, float N x embedding_dim, of pictures N x 3 x H x W in [-1, 1]."""
        return self.normalise(self.pooled(x))

    def logits(self, x: Tensor) -> Tensor:
        """Class logits, float N x classes."""
        return self.head(self(x))

    def freeze_normalisation(self, mean: Tensor, var: Tensor) -> None:
        """Fix the normalisation to a set's own mean and variance, each float (embedding_dim,)."""
        self.mean.copy_(mean)
        self.var.copy_(var)
        self.frozen.fill_(True)


def load_encoder(path: Path = ENCODER) -> tuple[Encoder, dict[str, Any]]:
    """Load the trained encoder, frozen, with its BatchNorm folded, and its file's header.

    Raises:
        UserError: it is missing or damaged.
    """
    tensors, header = load_weights(path)
    with reading(path):
        if not NAME.fullmatch(header["architecture"]):
            raise ValueError(f"{header['architecture']!r} is no network of timm's own")
        net = Encoder(header["architecture"], header["classes"])
        net.load_state_dict(tensors)
    fold_batchnorm(net.eval()).requires_grad_(False)
    return net.to(memory_format=torch.channels_last), header
