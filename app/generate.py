"""Generate pictures that have an address: picture n of seed s is the same whatever is generated besides."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from PIL import Image

from app.best import RealismScorer
from app.explore import Explorer, embeddings_of, species_rows
from app.networks import critic_file, generator_file, is_own
from app.pictures import PLAIN, TEXT, Form, write_pictures
from app.trained import note_changes
from creatures.artifacts import PICTURES
from creatures.data.pictures import open_pictures, species_labels
from creatures.data.provenance import ancestors, digest_of
from creatures.latents.sampler import Sampler, load_sampler
from creatures.runtime.atomic import atomic_file
from creatures.runtime.errors import UserError

GRID = "grid.png"
MOST = 100_000  # pictures at a time


@dataclass(frozen=True)
class Address:
    """Inputs of a generated picture: with the same network, the same picture.

    Attributes:
        network: digest of the generator's file.
        species: that it is to resemble, "" for any.
    """

    network: str
    seed: int
    number: int
    truncation: float
    species: str = ""


def write_samples(
    count: int,
    seed: int,
    truncation: float,
    out: Path,
    best: float = 1.0,
    form: Form = PLAIN,
    addresses: Sequence[Address] = (),
    species: str = "",
    latents: Path | None = None,
    save_latents: Path | None = None,
) -> Path:
    """Write PNGs, named by number, each with its address in it, and `grid.png` to a folder; return the grid's path.

    Args:
        count: pictures 0 to count - 1 of `seed`, unless there are addresses or latents.
        best: fraction of the generated pictures that is kept, see `app.best`; 1: all.
        addresses: of the pictures, instead.
        species: that they are to resemble; "" for any.
        latents: an .npz file with `z` (float, N x Z), instead.
        save_latents: where the z of the pictures are written, as such a file.

    Raises:
        UserError: a model is missing, or an address or latents do not fit to it.
        OSError: the folder cannot be written to.
    """
    file = generator_file()
    sampler, network = load_sampler(file), digest_of(file)
    about: list[dict[str, Any]]
    if latents:
        z, classes = read_latents(latents, sampler), None
        about = [{"network": network, "latents": latents.name, "number": number} for number in range(len(z))]
    else:
        wanted = list(addresses) or [
            Address(network, seed, number, truncation, species) for number in range(drawn_for(count, best))
        ]
        if others := [address for address in wanted if address.network != network]:
            raise UserError(f"that picture is by another network ({others[0].network}) than {file} ({network})")
        z, classes = latents_at(sampler, wanted)
        about = [vars(address) for address in wanted]
    images = sampler.draw(z)
    if best < 1:
        if classes is None:
            raise UserError("--best needs pictures that are drawn at random")
        kept = RealismScorer(critic_file(), file).best(images, z, classes, count)
        images, z, about = images[kept], z[kept], [about[row] for row in kept]
    note_changes(file)
    columns = math.isqrt(len(images) - 1) + 1
    write_pictures(out, images, form, out / GRID, columns, about=about)
    if save_latents:
        with atomic_file(save_latents) as part, open(part, "wb") as stream:
            np.savez(stream, z=z)
    return out / GRID


def latents_at(sampler: Sampler, addresses: Sequence[Address]) -> tuple[np.ndarray, np.ndarray | None]:
    """The z, float32 N x Z, at some addresses, and their classes, int (N,), None for pictures like a species."""
    if not any(address.species for address in addresses):
        drawn = [sampler.latent.draw_each(a.seed, [a.number], a.truncation) for a in addresses]
        return np.concatenate([z for z, _ in drawn]), np.concatenate([classes for _, classes in drawn])
    pictures = open_pictures()
    rngs = [np.random.default_rng([address.seed, address.number]) for address in addresses]
    rows = [species_rows(address.species, pictures) for address in addresses]
    if sampler.latent.class_probs is not None:
        if not is_own(generator_file()):
            raise UserError(f"{generator_file()} has classes of its own, which this checkout does not know")
        z_dim, drawn_by = sampler.latent.z_dim, zip(rngs, addresses, strict=True)
        noise = [rng.standard_normal(z_dim) * address.truncation for rng, address in drawn_by]
        ancestors(generator_file(), PICTURES)
        labels = species_labels(pictures)[0][[int(some[0]) for some in rows]]
        if -1 in labels:
            raise UserError(f"{addresses[int(np.argmin(labels))].species} was held out: nothing was trained on it")
        return np.concatenate([noise, np.eye(sampler.latent.classes)[labels]], axis=1).astype(np.float32), None
    if sampler.latent.mixture is None:
        raise UserError("this generator was trained with gan.latent: normal and no condition; it knows no species")
    chosen = [int(rng.choice(some)) for rng, some in zip(rngs, rows, strict=True)]
    embeddings = embeddings_of(pictures.images[np.array(chosen)], chosen)
    explorer = Explorer(sampler.net, sampler.latent.mixture)
    places = zip(embeddings, rngs, addresses, strict=True)
    return np.stack([explorer.beside(embedding, rng, a.truncation) for embedding, rng, a in places]), None


def read_latents(path: Path, sampler: Sampler) -> np.ndarray:
    """The z, float32 N x Z, of an .npz file.

    Raises:
        UserError: it is missing, damaged, or not for this generator.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            z = arrays["z"].astype(np.float32)
    except (OSError, EOFError, ValueError, TypeError, KeyError, BadZipFile) as error:
        raise UserError(f"{path} is no .npz file with z: {' '.join(str(error).split())}") from None
    length = sampler.latent.length
    if z.ndim != 2 or z.shape[1] != length or not 0 < len(z) <= MOST or not np.isfinite(z).all():
        raise UserError(f"{path}: z must be finite numbers, N x {length} with N from 1 to {MOST:,}, not {z.shape}")
    return z


def address_in(path: Path) -> Address:
    """The address in a picture's file.

    Raises:
        UserError: it has none.
    """
    try:
        with Image.open(path) as image:
            return Address(**json.loads(image.info.get(TEXT, "")))
    except OSError:
        raise UserError(f"{path} is no picture") from None
    except (ValueError, TypeError):
        raise UserError(f"{path} has no address: it was not generated at random by this program") from None


def addresses_of(seeds: str, numbers: str, seed: int, truncation: float, species: str) -> list[Address]:
    """Addresses of the first picture of each of some seeds, or of some pictures of one; none without either."""
    pairs = [(each, 0) for each in numbers_in(seeds)] if seeds else [(seed, n) for n in numbers_in(numbers)]
    network = digest_of(generator_file()) if pairs else ""
    return [Address(network, each, number, truncation, species) for each, number in pairs]


def numbers_in(text: str) -> list[int]:
    """The numbers of a list such as `3,7-9`; none for "".

    Raises:
        UserError: it is no such list, or has more than MOST numbers.
    """
    numbers: list[int] = []
    for part in text.split(",") if text else []:
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UserError(f"{text!r} is no list of numbers such as 3,7-9")
        end = int(last or first) + 1
        if end <= int(first):
            raise UserError(f"{text!r} is no list of numbers such as 3,7-9: {part.strip()} goes backwards")
        if end - int(first) + len(numbers) > MOST:
            raise UserError(f"{text!r} has more than {MOST:,} numbers")
        numbers += range(int(first), end)
    return numbers


def drawn_for(count: int, best: float) -> int:
    """Number of pictures to generate, of which a fraction `best` is `count`."""
    return math.ceil(round(count / best, 6))
