"""The most real of many drawn."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from app.explore import load_embeddings
from stages.lib.nets.encoder import FILE as ENCODER_FILE
from stages.lib.nets.encoder import load_encoder
from stages.lib.pictures import open_pictures
from stages.lib.provenance import EMBEDDINGS, ancestors
from stages.lib.scores.realism import realism
from stages.lib.tensors import to_float

BATCH = 64


class Judge:
    """Says how real pictures look to the encoder, beside those of train.

    Raises:
        UserError: the encoder, the embeddings or the pictures are missing, or of different runs.
    """

    def __init__(self, encoder: nn.Module | None = None) -> None:
        self.encoder = encoder or load_encoder()[0]
        ancestors(EMBEDDINGS, ENCODER_FILE)
        self.real = load_embeddings()[open_pictures().rows("train")]

    @torch.no_grad()
    def best(self, images: np.ndarray, count: int) -> np.ndarray:
        """Rows, ascending, of the `count` most real of pictures, uint8 N x 3 x H x W: the higher realism score."""
        parts = [self.encoder(to_float(images[i : i + BATCH])).float().numpy() for i in range(0, len(images), BATCH)]
        return np.sort(np.argsort(-realism(np.concatenate(parts), self.real), kind="stable")[:count])
