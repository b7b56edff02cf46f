"""Pictures near given ones, between them, and along a path through the mixture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy.interpolate import CubicSpline

from app.networks import encoder_file, generator_file, is_own
from app.pictures import PLAIN, Form, must_end, write_sheet
from app.trained import cleaning_of, note_changes
from creatures.artifacts import EMBEDDINGS, GENERATOR, PICTURES
from creatures.data.loading import open_array
from creatures.data.pictures import CLEANING, Pictures, open_pictures
from creatures.data.provenance import ancestors
from creatures.data.tensors import to_float
from creatures.decoding.files import open_file
from creatures.decoding.foreground import fitted
from creatures.decoding.unusable import Unusable
from creatures.intake.layout import normal
from creatures.latents.mixture import Mixture
from creatures.latents.sampler import Sampler, generated, load_sampler
from creatures.nets.common.base import Generator
from creatures.nets.encoder.encoder import load_encoder
from creatures.runtime.errors import UserError

NEAR = 0.5  # standard deviations of the mixture: how far variations go from their start


@dataclass(frozen=True)
class Explorer:
    """A generator that reads embeddings, and the mixture around them."""

    generator: Generator
    mixture: Mixture

    def around(self, embedding: np.ndarray, count: int, seed: int, truncation: float) -> np.ndarray:
        """Embeddings near a given one, which comes first; the others add noise of its component.

        Args:
            embedding: float (E,).
            truncation: factor on the noise.

        Returns:
            float32, count x E.
        """
        component = int(self.mixture.assign(embedding[None])[0])
        noise = np.random.default_rng(seed).standard_normal((count, self.mixture.means.shape[1]))
        noise[0] = 0
        steps = noise @ self.mixture.factors[component].T @ self.mixture.back
        return (embedding + NEAR * truncation * steps).astype(np.float32)

    def beside(self, embedding: np.ndarray, rng: np.random.Generator, truncation: float) -> np.ndarray:
        """An embedding, float32 (E,), near a given one, as `around` draws them."""
        component = int(self.mixture.assign(embedding[None])[0])
        step = self.mixture.factors[component] @ rng.standard_normal(self.mixture.means.shape[1]) @ self.mixture.back
        return (embedding + NEAR * truncation * step).astype(np.float32)

    def steered(self, embedding: np.ndarray, amounts: Sequence[float]) -> np.ndarray:
        """An embedding, float32 (E,), moved along the first principal components, by standard deviations."""
        return (embedding + np.asarray(amounts) @ self.mixture.back[: len(amounts)]).astype(np.float32)

    def loop(self, points: np.ndarray, frames: int) -> np.ndarray:
        """Embeddings on a smooth closed path through given ones, float N x E, at least two: float32, frames x E."""
        path = CubicSpline(np.arange(len(points) + 1), np.concatenate([points, points[:1]]), bc_type="periodic")
        return path(np.linspace(0, len(points), frames, endpoint=False)).astype(np.float32)

    def loop_around(self, embedding: np.ndarray, frames: int, seed: int, truncation: float) -> np.ndarray:
        """Embeddings on a smooth closed path near a given one, where it begins: float32, frames x E.

        It is an ellipse between the given one and others as `around` draws them.
        """
        _, side, far = self.around(embedding, 3, seed, truncation).astype(np.float64) - embedding
        angles = np.linspace(0, 2 * np.pi, frames, endpoint=False)[:, None]
        return (embedding + np.sin(angles) * side + (1 - np.cos(angles)) / 2 * far).astype(np.float32)

    def draw(self, embeddings: np.ndarray) -> np.ndarray:
        """Generate pictures, uint8 N x 3 x H x W, from embeddings, float32 N x E."""
        return generated(self.generator, embeddings)


def load_explorer(sampler: Sampler | None = None) -> Explorer:
    """Load the trained models, or take those of a given sampler.

    Raises:
        UserError: a model is missing, or its z is not an embedding.
    """
    sampler = sampler or load_sampler(generator_file())
    if sampler.latent.mixture is None:
        raise UserError("this generator was trained with gan.latent: normal; it knows no embeddings")
    return Explorer(sampler.net, sampler.latent.mixture)


def place(what: str) -> tuple[np.ndarray, np.ndarray]:
    """The picture of a species or a picture file, as from `picture_of`, and its embedding, float (E,)."""
    picture, row = picture_of(what, encoder_file())
    return picture, embeddings_of(picture[None], None if row is None else [row])[0]


def embeddings_of(pictures: np.ndarray, rows: Sequence[int] | None) -> np.ndarray:
    """Embeddings, float64 N x E, of pictures, uint8 N x 3 x H x W.

    Args:
        rows: theirs in data/clean, whose embeddings are stored; None for others.
    """
    file = encoder_file()
    if rows is None or not is_own(file):  # embeddings by other encoders are not stored
        ancestors(generator_file(), file)
        with torch.no_grad():
            return load_encoder(file)[0](to_float(pictures)).double().numpy()
    return load_embeddings()[rows].astype(np.float64)


def load_embeddings() -> np.ndarray:
    """Open the embeddings of all pictures, float32, N x E.

    Raises:
        UserError: they are missing or damaged, or from another run than the pictures or the generator.
    """
    ancestors(GENERATOR, EMBEDDINGS, PICTURES)
    return open_array(EMBEDDINGS, 2, np.float32)


def unusable(what: str, error: Unusable) -> UserError:
    """Message about a picture that cannot be used."""
    return UserError(f"{what} cannot be used: {error.reason}{error.detail and f' ({error.detail})'}")


def picture_of(what: str, network: Path) -> tuple[np.ndarray, int | None]:
    """The picture of a species or a picture file: uint8, 3 x H x W, and its row in data/clean, None for a file.

    Args:
        network: file of the network it is for: a picture file is cleaned like the network's training pictures.

    Raises:
        UserError: there is no such species or file, or the file cannot be used.
    """
    if Path(what).is_file():
        cleaning = cleaning_of(network)
        try:
            return cleaned(open_file(what, cleaning["common.image_px"]), cleaning), None
        except Unusable as error:
            raise unusable(what, error) from None
    if not PICTURES.exists():
        raise UserError(f"{what!r} is no picture file, and species need the pictures: run dvc repro clean")
    pictures = open_pictures()
    row = species_row(what, pictures)
    check_side(what, pictures, network)
    return pictures.images[row], row


def check_side(species: str, pictures: Pictures, network: Path) -> None:
    """Raise UserError if the pictures of data/clean are of another size than a network's, which is of another run."""
    px = pictures.images.shape[-1]
    if not is_own(network) and (wanted := cleaning_of(network)["common.image_px"]) != px:
        raise UserError(
            f"{species}: the pictures of data/clean have {px} pixels, {network} takes {wanted}: name a file"
        )


def species_row(species: str, pictures: Pictures) -> int:
    """The row of a species' first drawing, or else its first picture; see `species_rows`."""
    rows = species_rows(species, pictures)
    drawings = rows[pictures.column("style")[rows] == "drawing"]
    return int((drawings if len(drawings) else rows)[0])


def species_rows(species: str, pictures: Pictures) -> np.ndarray:
    """The rows of a species' pictures.

    Its name may be written in any normal form of Unicode, and in other case if only one species has it then.

    Raises:
        UserError: there is no such species.
    """
    column = pictures.column("species")
    known = [name for name in dict.fromkeys(column.tolist()) if name]
    alike = [name for name in known if normal(name) == normal(species)] or [
        name for name in known if normal(name).casefold() == normal(species).casefold()
    ]
    if len(alike) != 1:
        near = alike or get_close_matches(species, known)
        raise UserError(
            f"{species!r} is no picture file, and no species of data/clean"
            + (f"; it has {' and '.join(near)}" if near else "")
        )
    return np.flatnonzero(column == alike[0])


def cleaned(image: Image.Image, cleaning: Mapping[str, Any]) -> np.ndarray:
    """Clean a picture in memory, RGBA, as the stage `clean` does: uint8, 3 x H x W.

    Args:
        cleaning: as returned by `cleaning_of`.

    Raises:
        Unusable: it is blank or too small.
    """
    picture, _, _ = fitted(image, cleaning["common.image_px"], **{name: cleaning[f"clean.{name}"] for name in CLEANING})
    return np.asarray(picture).transpose(2, 0, 1)


def fuse(
    first: str,
    second: str,
    count: int,
    rows: int,
    seed: int,
    truncation: float,
    out: Path,
    form: Form = PLAIN,
) -> list[Path]:
    """Write a sheet from one species or file to another; each row but the first is a variation of that path."""
    must_end(out, ".png")
    explorer = load_explorer()
    (_, start), (_, end) = place(first), place(second)
    t = np.linspace(0, 1, count)[:, None]
    starts, ends = (explorer.around(e, rows, seed, truncation) for e in (start, end))
    paths = np.concatenate([(1 - t) * a + t * b for a, b in zip(starts, ends, strict=True)])
    note_changes(generator_file())
    return write_sheet(explorer.draw(paths.astype(np.float32)), count, out, form, made_of=[first, second])


def near(what: str, count: int, seed: int, truncation: float, out: Path, form: Form = PLAIN) -> list[Path]:
    """Write a sheet of the picture itself, its reconstruction, and variations of that."""
    must_end(out, ".png")
    explorer = load_explorer()
    picture, embedding = place(what)
    variations = explorer.draw(explorer.around(embedding, count, seed, truncation))
    note_changes(generator_file())
    return write_sheet(np.concatenate([picture[None], variations]), 8, out, form, made_of=[what])
