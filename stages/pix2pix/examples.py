"""Drawings by hand, made for this project and in no data set, that training is watched on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from stages.lib.reading.svg import render

FOLDER = Path(__file__).parent / "drawings"


def drawings(px: int) -> np.ndarray:
    """All of them: uint8, N x px x px: 0 on lines, 255 elsewhere."""
    found = []
    for file in sorted(FOLDER.glob("*.svg")):
        drawn = render(file.read_bytes(), px)
        paper = Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn).convert("L")
        found.append(np.where(np.asarray(paper) < 160, np.uint8(0), np.uint8(255)))
    return np.stack(found)
