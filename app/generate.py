"""Write pictures from the trained generator to files."""

from __future__ import annotations

import math
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from app.best import RealismScorer, best_of
from app.networks import critic_file, generator_file
from app.trained import note_changes
from creatures.data.sheets import save_sheet
from creatures.latents.sampler import load_sampler

GRID = "grid.png"
DIGITS = range(3, 6)  # of a file's name, for up to 100,000 pictures


def write_samples(count: int, seed: int, truncation: float, out: Path, best: float = 1.0) -> Path:
    """Write `count` PNGs, named by number, and `grid.png` to a folder, in place of those of an earlier call; return
    the grid's path.

    The same arguments give the same bytes. Other files in the folder stay.

    Args:
        best: fraction of the generated pictures that is kept, the most realistic; 1: all.

    Raises:
        UserError: a model is missing.
        OSError: the folder cannot be written to.
    """
    file = generator_file()
    sampler = load_sampler(file)
    if best < 1:
        scorer = RealismScorer(critic_file(), file)
        images = best_of(sampler, scorer, drawn_for(count, best), count, seed, truncation)
    else:
        images = sampler.sample(count, seed, truncation)
    note_changes(file)
    out.mkdir(parents=True, exist_ok=True)
    digits = max(DIGITS[0], len(str(count - 1)))
    with TemporaryDirectory(dir=out) as folder:
        for number, image in enumerate(images):
            Image.fromarray(image.transpose(1, 2, 0)).save(Path(folder) / f"{number:0{digits}d}.png")
        save_sheet(Path(folder) / GRID, images, columns=math.isqrt(count - 1) + 1)
        previous, written = earlier(out), sorted(Path(folder).iterdir())
        for path in written:
            path.replace(out / path.name)
        for path in previous - {out / path.name for path in written}:
            path.unlink()
    return out / GRID


def drawn_for(count: int, best: float) -> int:
    """Number of pictures to generate, of which a fraction `best` is `count`."""
    return math.ceil(round(count / best, 6))


def earlier(out: Path) -> set[Path]:
    """Pictures of an earlier call: numbered from 0 on without a gap; empty if there is no grid."""
    if not (out / GRID).is_file():
        return set()
    named = ((out / f"{number:0{digits}d}.png" for number in range(10**digits)) for digits in DIGITS)
    return {path for row in named for path in takewhile(Path.is_file, row)}
