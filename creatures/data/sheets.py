"""Contact sheets: pictures in a grid, as one PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from creatures.runtime.atomic import atomic_file


def grid(images: np.ndarray, columns: int, gap: int = 2) -> np.ndarray:
    """Tile pictures row by row on white.

    Args:
        images: uint8, N x 3 x H x W or N x H x W (grey).
        columns: pictures per row.
        gap: pixels between them.

    Returns:
        uint8, H' x W' x 3.
    """
    if images.ndim == 3:
        images = np.repeat(images[:, None], 3, axis=1)
    count, _, height, width = images.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), 255, np.uint8)
    for i, image in enumerate(images):
        top = gap + i // columns * (height + gap)
        left = gap + i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    return sheet


def save_sheet(path: Path, images: np.ndarray, columns: int, scale: int = 1) -> None:
    """Write `grid(images)` as PNG, enlarged by an integer factor."""
    sheet = Image.fromarray(grid(images, columns))
    if scale > 1:
        sheet = sheet.resize((sheet.width * scale, sheet.height * scale), Image.Resampling.NEAREST)
    with atomic_file(path) as part:
        sheet.save(part, optimize=True)
