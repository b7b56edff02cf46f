"""What the page can do, without the page: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from threading import Lock
from typing import TypeVar

import numpy as np
from PIL import Image

from app.explore import Explorer, load_explorer, of_image, place
from app.names import named
from app.own import outline_of
from stages.lib.colouring import Colourer, load_colourer
from stages.lib.params import UserError, read_yaml
from stages.lib.pictures import Pictures, open_pictures
from stages.lib.reading.unusable import Unusable

NEIGHBOURS = 4
T = TypeVar("T")


class Studio:
    """The trained models, each loaded when it is first asked for, and once.

    Every method raises UserError where a model is missing or what it is given is of no use.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._loaded: dict[str, object] = {}

    def _once(self, name: str, load: Callable[[], T]) -> T:
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = load()
            return self._loaded[name]  # type: ignore[return-value]

    @property
    def explorer(self) -> Explorer:
        return self._once("explorer", load_explorer)

    @property
    def colourer(self) -> Colourer:
        return self._once("colourer", load_colourer)

    @property
    def pictures(self) -> Pictures:
        return self._once("pictures", open_pictures)

    @property
    def embeddings(self) -> np.ndarray:
        def load() -> np.ndarray:
            try:
                return np.load("data/embeddings.npy", mmap_mode="r")
            except FileNotFoundError:
                raise UserError("data/embeddings.npy is missing; run the stages before this one (dvc repro)") from None

        return self._once("embeddings", load)

    @cached_property
    def margin(self) -> float:
        return read_yaml("params.yaml")["clean"]["margin"]

    def hatch(self, count: int, seed: int, truncation: float) -> tuple[np.ndarray, np.ndarray]:
        """New creatures, uint8 N x 3 x H x W, and the embeddings they were drawn from, float32 N x E."""
        explorer = self.explorer
        embeddings, _ = explorer.mixture.sample(count, np.random.default_rng(seed), truncation)
        return explorer.draw(embeddings), embeddings

    def more_like(
        self, embedding: np.ndarray, count: int, seed: int, truncation: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Creatures near one, itself the first, with their embeddings."""
        explorer = self.explorer
        found = explorer.around(embedding.astype(np.float64), count, seed, truncation)
        return explorer.draw(found), found

    def nearest(self, embedding: np.ndarray, count: int = NEIGHBOURS) -> tuple[np.ndarray, list[str]]:
        """The train pictures nearest to an embedding, uint8 n x 3 x H x W, and their names; each species once."""
        rows = self.pictures.rows("train")
        order = rows[np.argsort(np.linalg.norm(self.embeddings[rows] - embedding, axis=1))]
        species = self.pictures.column("species")
        _, first = np.unique(species[order], return_index=True)
        chosen = order[np.sort(first)[:count]]
        return self.pictures.images[chosen], [named(name) for name in species[chosen]]

    def species(self) -> dict[str, str]:
        """Species by the name that is shown."""
        return {named(name): name for name in dict.fromkeys(self.pictures.column("species").tolist())}

    def fuse(self, first: str | Image.Image, second: str | Image.Image, count: int) -> np.ndarray:
        """Pictures from one species or picture to another: uint8, count x 3 x H x W."""
        start, end = (self._embedding(what) for what in (first, second))
        share = np.linspace(0, 1, count)[:, None]
        return self.explorer.draw(((1 - share) * start + share * end).astype(np.float32))

    def _embedding(self, what: str | Image.Image) -> np.ndarray:
        if isinstance(what, str):
            return place(what)[1]
        try:
            return of_image(what)[1]
        except Unusable as error:
            raise UserError(f"this picture cannot be used: {error.reason} {error.detail}".rstrip()) from None

    def outline(self, image: Image.Image) -> np.ndarray:
        """The outline of a drawing or picture, uint8 H x W."""
        return outline_of(image.convert("RGBA"), self.colourer.net.image_px, self.margin)

    def colour(self, outline: np.ndarray, count: int, seed: int) -> np.ndarray:
        """Colourings, uint8, count x 3 x H x W: one with noise of each seed."""
        return self.colourer.colour(np.repeat(outline[None], count, axis=0), seed)
