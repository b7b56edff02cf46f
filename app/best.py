"""The most real of many drawn."""

from __future__ import annotations

import numpy as np
from torch import nn

from app.explore import load_embeddings
from stages.lib.nets.encoder import FILE as ENCODER_FILE
from stages.lib.nets.encoder import load_encoder
from stages.lib.pictures import open_pictures
from stages.lib.provenance import EMBEDDINGS, ancestors
from stages.lib.scores.features import features
from stages.lib.scores.realism import realism


class Judge:
    """Says how real pictures look to the encoder, beside those of train.

    Raises:
        UserError: the encoder, the embeddings or the pictures are missing, or of different runs.
    """

    def __init__(self, encoder: nn.Module | None = None) -> None:
        self.encoder = encoder or load_encoder()[0]
        ancestors(EMBEDDINGS, ENCODER_FILE)
        self.real = load_embeddings()[open_pictures().rows("train")]

    def best(self, images: np.ndarray, count: int) -> np.ndarray:
        """Rows, ascending, of the `count` most real of pictures, uint8 N x 3 x H x W: the higher realism score."""
        found = realism(features(self.encoder, images, None), self.real)
        return np.sort(np.argsort(-found, kind="stable")[:count])
