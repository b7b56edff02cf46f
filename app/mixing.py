"""Tables of style mixing: the shape of one creature in the colours of another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.explore import load_explorer, place
from app.networks import generator_file
from app.pictures import PLAIN, Form, must_end, write_sheet
from app.trained import note_changes
from creatures.latents.sampler import generated, load_sampler
from creatures.nets.common.base import Generator
from creatures.nets.generators.mixing import Mixing


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
    return write_sheet(pictures, len(z), out, form, made_of=whats)
