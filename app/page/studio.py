"""Functions of the page, without its interface: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from threading import RLock
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from app.best import RealismScorer
from app.colour import painted, traced
from app.explore import Explorer, check_side, cleaned, load_embeddings, load_explorer, species_row, unusable
from app.mixing import mixed
from app.networks import colourer_file, critic_file, encoder_file, generator_file, is_own
from app.page.names import load_names
from app.page.onnx_colourer import quick_colourer
from app.trained import cleaning_of, note_changes
from app.user_images import Drawing
from creatures.artifacts import EMBEDDINGS, PICTURES
from creatures.data.pictures import Pictures, open_pictures
from creatures.data.provenance import ancestors, digest_of
from creatures.data.tensors import to_float
from creatures.decoding.unusable import Unusable
from creatures.latents.sampler import Sampler, load_sampler
from creatures.nets.encoder.encoder import load_encoder
from creatures.nets.generators.mixing import can_mix
from creatures.translation.colouring import Colourer

NEIGHBOURS = 4


class Studio:
    """The trained models, each loaded once, on first use.

    Every method raises UserError if a model is missing or its input cannot be used.
    """

    sampler: Sampler
    explorer: Explorer
    encoder: nn.Module
    colourer: Colourer
    pictures: Pictures
    embeddings: np.ndarray
    scorer: RealismScorer
    names: dict[str, str]
    network: str  # the digest of the generator's file
    cleaning: dict[str, Any]
    margin: float

    def __init__(self) -> None:
        self._lock = RLock()  # a loader may need what another loads

    def __getattr__(self, name: str) -> Any:
        if name not in LOADERS:
            raise AttributeError(name)
        with self._lock:
            if name not in self.__dict__:
                self.__dict__[name] = LOADERS[name](self)
        return self.__dict__[name]

    def hatch(
        self, count: int, seed: int, truncation: float, times: int = 1
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Generate creatures, uint8 N x 3 x H x W, as `python -m app generate` does, and return them with their z,
        float32 N x Z, and their numbers, int (N,): the most realistic of `times` as many.
        """
        z, classes = self.sampler.latent.draw_each(seed, range(count * times), truncation)
        pictures = self.sampler.draw(z)
        chosen = self.scorer.best(pictures, z, classes, count) if times > 1 else np.arange(count)
        return pictures[chosen], z[chosen], chosen

    def numbered(self, seed: int, index: int, truncation: float) -> tuple[np.ndarray, np.ndarray]:
        """The creature of a number of a seed, uint8 1 x 3 x H x W, and its z, float32 1 x Z."""
        z, _ = self.sampler.latent.draw_each(seed, [index], truncation)
        return self.sampler.draw(z), z

    def more_like(self, z: np.ndarray, count: int, seed: int, truncation: float) -> tuple[np.ndarray, np.ndarray]:
        """Creatures near a given one, which comes first, with their z."""
        embeddings = self.explorer.around(z.astype(np.float64), count, seed, truncation)
        return self.explorer.draw(embeddings), embeddings

    def nearest(self, picture: np.ndarray, count: int = NEIGHBOURS) -> tuple[np.ndarray, list[str]]:
        """Train pictures whose embeddings are nearest to that of a picture (uint8, 3 x H x W), uint8 n x 3 x H x W,
        and their names; each species once.
        """
        embedding = self.encoded(picture)
        rows = self.pictures.rows("train")
        order = rows[np.argsort(np.linalg.norm(self.embeddings[rows] - embedding, axis=1))]
        species = self.pictures.column("species")
        _, first = np.unique([species[row] or f"row {row}" for row in order], return_index=True)
        chosen = order[np.sort(first)[:count]]
        return self.pictures.images[chosen], [self.named(name) for name in species[chosen]]

    def named(self, species: str) -> str:
        """Name of a species on the page: its label, and its name if it has one."""
        return " ".join(filter(None, (species, self.names.get(species))))

    @cached_property
    def knows_nearest(self) -> bool:
        """Whether there are real pictures with embeddings of the generator's run."""
        return PICTURES.exists() and is_own(generator_file())

    @cached_property
    def species(self) -> dict[str, str]:
        """Labels of all species by their names on the page; empty if pictures have none, or there are none yet."""
        if not PICTURES.exists():
            return {}
        labels = [name for name in dict.fromkeys(self.pictures.column("species").tolist()) if name]
        return {self.named(label): label for label in sorted(labels, key=lambda text: (len(text), text))}

    def picture(self, what: str | Image.Image) -> np.ndarray:
        """A species' picture, or an uploaded one cleaned as in the stage `clean`: uint8, 3 x H x W."""
        if isinstance(what, str):
            return self.pictures.images[species_row(what, self.pictures)]
        try:
            return cleaned(what, self.cleaning)
        except Unusable as error:
            raise unusable("this picture", error) from None

    @torch.no_grad()
    def encoded(self, picture: np.ndarray) -> np.ndarray:
        """Embedding, float (E,), of a picture, uint8 3 x H x W."""
        return self.encoder(to_float(picture[None]))[0].double().numpy()

    def embedding(self, what: str | Image.Image) -> np.ndarray:
        """Embedding, float (E,), of a species or an uploaded picture."""
        if isinstance(what, str):
            row = species_row(what, self.pictures)
            if is_own(encoder_file()):
                return self.embeddings[row].astype(np.float64)
            check_side(what, self.pictures, encoder_file())
        return self.encoded(self.picture(what))

    def fuse(self, first: str | Image.Image, second: str | Image.Image, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Pictures from one species or picture to another, uint8 count x 3 x H x W, and each of the two in the colours
        of the other, uint8 2 x 3 x H x W, or none where the generator cannot mix.
        """
        start, end = (self.embedding(what) for what in (first, second))
        t = np.linspace(0, 1, count)[:, None]
        way = self.explorer.draw(((1 - t) * start + t * end).astype(np.float32))
        if not self.can_mix:
            return way, way[:0]
        ends = np.stack([start, end]).astype(np.float32)
        return way, mixed(self.sampler.net, ends, ends[::-1])

    @cached_property
    def can_mix(self) -> bool:
        return can_mix(self.sampler.net)

    def loop(self, z: np.ndarray, frames: int, seed: int, truncation: float) -> np.ndarray:
        """Frames, uint8 frames x 3 x H x W, of a loop through creatures near a given one, which comes first."""
        return self.explorer.draw(self.explorer.loop_around(z.astype(np.float64), frames, seed, truncation))

    def drawing(self, image: Image.Image) -> Drawing:
        """The outline and, if there are any, the hints of a drawing or picture."""
        return traced(self.colourer, image.convert("RGBA"), self.margin)

    def colour(self, drawing: Drawing, count: int, seed: int, like: str = "") -> np.ndarray:
        """Colourings, uint8, count x 3 x H x W: in the colours of a species, or any."""
        return painted(self.colourer, drawing, count, seed, self.picture(like) if like else None)


def sampler() -> Sampler:
    file = generator_file()
    loaded = load_sampler(file)
    note_changes(file)
    return loaded


def encoder() -> nn.Module:
    """Raises UserError if it is missing, or from another run than the generator and the embeddings."""
    file = encoder_file()
    net, _ = load_encoder(file)
    ancestors(generator_file(), file, *([EMBEDDINGS] if is_own(file) else []))
    return net


def colourer() -> Colourer:
    """Raises UserError if it is missing, or from another run than the pictures."""
    loaded = quick_colourer()
    file = colourer_file()
    note_changes(file)
    if is_own(file):
        ancestors(file, PICTURES)
    return loaded


LOADERS: dict[str, Callable[[Studio], Any]] = {
    "sampler": lambda studio: sampler(),
    "explorer": lambda studio: load_explorer(studio.sampler),
    "colourer": lambda studio: colourer(),
    "encoder": lambda studio: encoder(),
    "pictures": lambda studio: open_pictures(),
    "embeddings": lambda studio: load_embeddings(),
    "scorer": lambda studio: RealismScorer(critic_file(), generator_file()),
    "names": lambda studio: load_names(),
    "network": lambda studio: digest_of(generator_file()),
    "cleaning": lambda studio: cleaning_of(encoder_file()),
    "margin": lambda studio: cleaning_of(colourer_file())["clean.margin"] if studio.colourer.net.inputs == 1 else 0.0,
}
