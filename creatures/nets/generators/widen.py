"""Wider networks from the weights of narrower ones."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from creatures.nets.generators.lite import LiteGenerator

SEED = 0


def widened(net: LiteGenerator, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights for `net` that compute the same function as those of a narrower but otherwise equal network.

    T. Chen et al., "Net2Net: Accelerating Learning via Knowledge Transfer", 2016, section 2.3: additional channels
    repeat the first ones, and what reads a repeated channel splits its weight among the copies: here at random, so
    that they learn different things.

    Args:
        tensors: `state_dict` of the narrower network.

    Returns:
        The given tensors themselves unless all names agree, no shape is smaller and both read latents of the same
        length.
    """
    shapes = {key: value.shape for key, value in net.state_dict().items()}
    same_names = tensors.keys() == shapes.keys() and all(tensors[k].ndim == len(shapes[k]) for k in shapes)
    if not same_names or any(new < old for k in shapes for new, old in zip(shapes[k], tensors[k].shape, strict=True)):
        return dict(tensors)
    if tensors["first.0.weight"].shape[1] != net.z_dim:
        return dict(tensors)
    generator = torch.Generator().manual_seed(SEED)
    return {key: _wider(tensors[key], shape, generator) for key, shape in shapes.items()}


def _wider(tensor: Tensor, shape: torch.Size, generator: torch.Generator) -> Tensor:
    """Channels of a tensor, out x in x … or (channels,), repeated up to a shape."""
    if tensor.shape == shape:
        return tensor
    out = tensor[torch.arange(shape[0]) % len(tensor)]
    if tensor.ndim < 2 or tensor.shape[1] == shape[1]:
        return out
    source = torch.arange(shape[1]) % tensor.shape[1]
    parts = torch.rand(shape[0], shape[1], generator=generator) + 1  # of the weight; at most twice each other's
    whole = torch.zeros(shape[0], tensor.shape[1]).index_add_(1, source, parts)
    parts = parts / whole[:, source]
    return out[:, source] * parts.view(*parts.shape, *[1] * (tensor.ndim - 2))
