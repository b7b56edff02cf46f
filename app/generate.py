"""Pictures from the trained generator, as files."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image

from stages.lib.sampling import load_sampler
from stages.lib.sheets import save_sheet
from stages.lib.whole import whole_file


def write_samples(count: int, seed: int, truncation: float, out: Path) -> Path:
    """Write `count` PNGs, named by number, and `grid.png` to a folder; returns the grid's path.

    The same arguments give the same bytes.

    Raises:
        UserError: a model is missing.
        OSError: the folder cannot be written to.
    """
    images = load_sampler().sample(count, seed, truncation)
    out.mkdir(parents=True, exist_ok=True)
    digits = max(3, len(str(count - 1)))
    for number, image in enumerate(images):
        with whole_file(out / f"{number:0{digits}d}.png") as part:
            Image.fromarray(image.transpose(1, 2, 0)).save(part)
    grid = out / "grid.png"
    save_sheet(grid, images, columns=math.isqrt(count - 1) + 1)
    return grid
