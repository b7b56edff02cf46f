"""Building blocks of several networks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

POWER_STEPS = 15  # power iterations that adapt a spectral norm to new weights; torch starts with as many

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": nn.ReLU, "leaky": lambda: nn.LeakyReLU(0.2)}

NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "none": lambda channels: nn.Identity(),
    "spectral": lambda channels: nn.Identity(),  # done by `apply_spectral_norm` on the finished network
}


def apply_spectral_norm(net: nn.Module) -> None:
    """Spectral normalisation of every layer. T. Miyato et al., "Spectral Normalization for GANs", 2018."""
    for module in list(net.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding) and not hasattr(module, "parametrizations"):
            spectral_norm(module)


def _normal(weight: Tensor) -> None:
    nn.init.normal_(weight, 0, 0.02)


WEIGHT_INITS: dict[str, Callable[[Tensor], object] | None] = {
    "default": None,
    "normal": _normal,  # of standard deviation 0.02: A. Radford et al., 2016
    "xavier": nn.init.xavier_uniform_,  # X. Glorot and Y. Bengio, 2010
}


def init_weights(net: nn.Module, name: str) -> None:
    """Initialise all trainable convolutions and linear layers; `default` keeps torch's initialisation."""
    init = WEIGHT_INITS[name]
    for module in net.modules():
        if init is None or not isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            continue
        parametrised = getattr(module, "parametrizations", None)
        weight = parametrised.weight.original if parametrised is not None else module.weight
        if weight.requires_grad:
            init(weight)
            with torch.no_grad():  # each access is a power iteration of the spectral norm
                for _ in range(POWER_STEPS if parametrised is not None else 0):
                    module.weight  # noqa: B018


class SelfAttention(nn.Module):
    """Self-attention over all positions of a map. H. Zhang et al., "Self-Attention GANs" (SAGAN), 2019, eq. 3."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, max(1, channels // 8), 1)
        self.key = nn.Conv2d(channels, max(1, channels // 8), 1)
        self.value = nn.Conv2d(channels, max(1, channels // 2), 1)
        self.out = nn.Conv2d(max(1, channels // 2), channels, 1)
        self.gamma = nn.Parameter(torch.zeros(()))  # the layer starts as the identity

    def forward(self, x: Tensor) -> Tensor:
        """N x channels x H x W to the same shape."""
        query, key, value = (layer(x).flatten(2) for layer in (self.query, self.key, self.value))
        attention = (query.transpose(1, 2) @ key).softmax(dim=-1)  # N x queries x keys, both H * W
        return x + self.gamma * self.out((value @ attention.transpose(1, 2)).unflatten(2, x.shape[2:]))


class EmbeddingProjection(nn.Module):
    """Logit term for a picture's embedding: <linear map of the embedding, features>.

    Like `Projection`, with an embedding in place of a class. A. Casanova et al.,
    "Instance-Conditioned GAN", 2021.
    """

    def __init__(self, embedding_dim: int, channels: int) -> None:
        super().__init__()
        self.embed = spectral_norm(nn.Linear(embedding_dim, channels, bias=False))

    def forward(self, hidden: Tensor, embeddings: Tensor) -> Tensor:
        """Float N x 1, from maps N x channels x H x W and embeddings N x embedding_dim of unit variance."""
        return _product(self.embed(embeddings), hidden)


class Projection(nn.Module):
    """Logit term for a picture's class: <embedding of the class, features>.

    T. Miyato and M. Koyama, "cGANs with Projection Discriminator", 2018, eq. 3, with the spatial mean of the features
    instead of their sum.
    """

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        self.embed = spectral_norm(nn.Embedding(classes, channels))

    def forward(self, hidden: Tensor, classes: Tensor) -> Tensor:
        """Float N x 1, from maps N x channels x H x W and classes int N; 0 where a class is -1."""
        return _product(self.embed(classes.clamp(min=0)), hidden) * (classes >= 0).unsqueeze(1)


def _product(embedded: Tensor, hidden: Tensor) -> Tensor:
    """Inner product with the spatial mean of a map: N x 1."""
    return (embedded * hidden.mean((2, 3))).sum(1, keepdim=True)
