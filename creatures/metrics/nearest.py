"""Nearest neighbours."""

from __future__ import annotations

import faiss
import numpy as np


def nearest(queries: np.ndarray, gallery: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Euclidean distance of each query to its nearest neighbour in the gallery, and the neighbour's row."""
    index = faiss.IndexFlatL2(gallery.shape[1])
    index.add(np.ascontiguousarray(gallery))
    squared, rows = index.search(np.ascontiguousarray(queries), 1)
    return np.sqrt(squared[:, 0].clip(0)), rows[:, 0]
