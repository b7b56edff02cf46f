"""How well embeddings find a species that the encoder was never trained on."""

from __future__ import annotations

import numpy as np

from creatures.data.pictures import ENOUGH, MEASURED, Pictures, evenly_spaced
from creatures.nets.encoder.encoder import Encoder
from creatures.training.embed import embed_rows


def retrieval(net: Encoder, pictures: Pictures) -> float | None:
    """Share of test-species drawings whose nearest sprite, among the sprites of all species, is of their own.

    Cosine similarity. Where the set does not hold both styles, every test picture is asked
    for among the pictures of all other files. Of many, MEASURED are asked for among ENOUGH.
    None where no test picture has a label.
    """
    labels, styles, sources = (pictures.column(name) for name in ("label", "style", "source"))
    test = pictures.rows("test")
    test = test[labels[test] >= 0]
    asked, gallery = test[styles[test] == "drawing"], np.flatnonzero(styles == "sprite")
    if not len(asked) or not len(gallery):
        asked, gallery = test, np.arange(len(pictures))
    if not len(asked):
        return None
    asked, gallery = evenly_spaced(asked, MEASURED), evenly_spaced(gallery, ENOUGH)
    queries, found = _unit(embed_rows(net, pictures, asked)), _unit(embed_rows(net, pictures, gallery))
    hits = 0
    for query, row in zip(queries, asked, strict=True):
        likeness = np.where(sources[gallery] == sources[row], -np.inf, found @ query)
        hits += labels[gallery[likeness.argmax()]] == labels[row]
    return float(hits / len(asked))


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True).clip(1e-8)
