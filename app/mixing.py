"""Style mixing: the shape of one creature in the colours of another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from app.explore import load_explorer, place
from app.networks import generator_file
from app.pictures import PLAIN, Form, must_end, write_sheet
from app.trained import note_changes
from creatures.latents.sampler import generated, load_sampler
from creatures.nets.common.base import Generator
from creatures.nets.generators.lite import LiteGenerator
from creatures.runtime.errors import UserError

EXCITED = 8  # a coarse map gates one that is so many times finer


class Mixing(Generator):
    """A generator with two latents, of shape and of colours, one after the other: N x 2Z to pictures.

    The maps are those of the first; the gates of skip-layer excitation are computed from the coarse maps of the
    second. B. Liu et al., "Towards Faster and Stabilized GAN Training" (FastGAN), 2021: what is gated keeps the
    content, and the gates bring the style.

    Raises:
        UserError: the generator has no skip-layer excitation.
    """

    def __init__(self, net: nn.Module) -> None:
        if not isinstance(net, LiteGenerator) or not net.skips:
            raise UserError("this generator cannot mix: it has no skip-layer excitation (gan.generator)")
        super().__init__(2 * net.z_dim, net.image_px, {})
        self.net = net

    def maps(self, z: Tensor) -> dict[int, Tensor]:
        """The last map, float N x channels x H x W, by its side."""
        shape, colours = z.chunk(2, dim=1)
        coarse = self.net.maps(colours, self.image_px // EXCITED)
        x = self.net.first(shape).contiguous(memory_format=torch.channels_last)
        for name, block in self.net.blocks.items():
            x = block(x)
            if name in self.net.skips:
                x = self.net.skips[name](coarse[int(name) // EXCITED], x)
        return {self.image_px: x}

    def draw(self, maps: dict[int, Tensor]) -> Tensor:
        return self.net.draw(maps)


def can_mix(net: nn.Module) -> bool:
    """Whether a generator can be used by `Mixing`."""
    return isinstance(net, LiteGenerator) and len(net.skips) > 0


def mixed(net: Generator, shapes: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Pictures, uint8 N x 3 x H x W, of latents of their shapes and of their colours, each float32 N x Z."""
    return generated(Mixing(net).eval(), np.concatenate([shapes, colours], axis=1))


def mix(whats: Sequence[str], count: int, seed: int, truncation: float, out: Path, form: Form = PLAIN) -> list[Path]:
    """Write a table: a row keeps the shape of a creature, a column the colours of one.

    Args:
        whats: species or picture files; none for the first `count` creatures of the seed.
    """
    must_end(out, ".png")
    if whats:
        net = load_explorer().generator
        z = np.stack([place(what)[1] for what in whats]).astype(np.float32)
    else:
        sampler = load_sampler(generator_file())
        net, (z, _) = sampler.net, sampler.latent.draw_each(seed, range(count), truncation)
    pictures = mixed(net, z.repeat(len(z), axis=0), np.tile(z, (len(z), 1)))
    note_changes(generator_file())
    return write_sheet(pictures, len(z), out, form)
