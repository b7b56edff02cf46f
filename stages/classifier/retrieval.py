"""Retrieval, by embeddings, of species that the encoder was not trained on."""

from __future__ import annotations

import numpy as np

from creatures.data.pictures import ENOUGH, MEASURED, Pictures, evenly_spaced
from creatures.nets.encoder.encoder import Encoder
from creatures.training.embed import embed_rows


def retrieval(net: Encoder, pictures: Pictures) -> float | None:
    """Fraction of test-species drawings whose nearest sprite, among the sprites of all species, is of their own.

    Nearest by cosine similarity. If the set lacks one of the styles, every test picture is a query
    and the pictures of all other files are its gallery. At most MEASURED queries and ENOUGH gallery
    pictures are used. None if no test picture has a label.
    """
    labels, styles, sources = (pictures.column(name) for name in ("label", "style", "source"))
    test = pictures.rows("test")
    test = test[labels[test] >= 0]
    queries, gallery = test[styles[test] == "drawing"], np.flatnonzero(styles == "sprite")
    if not len(queries) or not len(gallery):
        queries, gallery = test, np.arange(len(pictures))
    if not len(queries):
        return None
    queries, gallery = evenly_spaced(queries, MEASURED), evenly_spaced(gallery, ENOUGH)
    query_emb, gallery_emb = _unit(embed_rows(net, pictures, queries)), _unit(embed_rows(net, pictures, gallery))
    hits = 0
    for query, row in zip(query_emb, queries, strict=True):
        similarity = np.where(sources[gallery] == sources[row], -np.inf, gallery_emb @ query)
        hits += labels[gallery[similarity.argmax()]] == labels[row]
    return float(hits / len(queries))


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True).clip(1e-8)
