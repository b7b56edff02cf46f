"""Embed pictures with the encoder, batch by batch, in order."""

from __future__ import annotations

import numpy as np
import torch

from creatures.data.pictures import Pictures
from creatures.data.tensors import to_float
from creatures.nets.encoder.encoder import Encoder

BATCH = 128


@torch.no_grad()
def pool_rows(
    net: Encoder, pictures: Pictures, rows: np.ndarray, turns: int = 0, out: np.ndarray | None = None
) -> np.ndarray:
    """Pooled features of `rows`, each rotated by `turns` x 90 degrees: float32, len(rows) x embedding_dim, in `out` if
    it is given.
    """
    device = next(net.parameters()).device
    pooled = np.empty((len(rows), net.embedding_dim), np.float32) if out is None else out
    for start in range(0, len(rows), BATCH):
        x = to_float(pictures.images[rows[start : start + BATCH]]).to(device)
        pooled[start : start + BATCH] = net.pooled(x.rot90(turns, (2, 3))).float().cpu().numpy()
    return pooled


def embed_rows(net: Encoder, pictures: Pictures, rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Embeddings of `rows` by a frozen encoder: float32, len(rows) x embedding_dim, in `out` if it is given."""
    embeddings = pool_rows(net, pictures, rows, out=out)
    for start in range(0, len(rows), BATCH):
        part = embeddings[start : start + BATCH]
        part[:] = net.normalise(torch.from_numpy(part).to(net.mean.device)).cpu().numpy()
    return embeddings
