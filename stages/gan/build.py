"""The two networks, from parameters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from stages.gan.params import GanParams, takes
from stages.lib.nets.base import Discriminator, Generator
from stages.lib.nets.discriminators import DISCRIMINATORS
from stages.lib.nets.generators import GENERATORS, build_generator
from stages.lib.nets.parts import initialise


def new_architecture(p: GanParams, z_dim: int, image_px: int) -> dict[str, Any]:
    """The description of a generator that starts from random weights."""
    knobs = {
        "z_dim": z_dim,
        "image_px": image_px,
        "width": p.generator_width,
        "activation": p.activation,
        "dropout": p.dropout,
        "first_px": p.first_px,
        "kernel": p.kernel,
        "msg": p.msg,
    }
    return {"name": p.generator} | {k: v for k, v in knobs.items() if takes(GENERATORS[p.generator], k)}


def build(
    p: GanParams, architecture: dict[str, Any], weights: dict[str, Tensor] | None, classes: int, seed: int
) -> tuple[Generator, Discriminator]:
    """Both networks, in channels-last memory.

    Args:
        architecture: of the generator.
        weights: of the generator to start from; None for random ones.
        classes: that the discriminator is told; 0 for none.
    """
    torch.manual_seed(seed)
    net_g = build_generator(architecture)
    knobs = {
        "image_px": architecture["image_px"],
        "width": p.discriminator_width,
        "norm": p.discriminator_norm,
        "attention_px": p.attention_px,
        "msg": p.msg,
        "classes": classes,
    }
    kind = DISCRIMINATORS[p.discriminator]
    net_d = kind(**{k: v for k, v in knobs.items() if takes(kind, k)})
    initialise(net_d, p.initial)
    initialise(net_g, p.initial)
    if weights is not None:  # pretraining knows no small pictures
        net_g.load_state_dict(weights, strict=not p.msg)
    channels_last = torch.channels_last
    return net_g.to(memory_format=channels_last), net_d.to(memory_format=channels_last)
