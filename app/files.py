"""What kinds of picture files there are: formats, sizes, backgrounds, sheets of sprites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from creatures.decoding.files import open_file
from creatures.decoding.foreground import border_colour
from creatures.decoding.unusable import Unusable
from creatures.intake.sheets import is_sheet

PIXEL_ART = 48  # pixels of the longer side: smaller pictures are enlarged by whole numbers
COARSE = 32  # levels within which backgrounds count as of the same colour
VECTORS = (".svg", ".svgz")  # have no size, and take long to draw


@dataclass(frozen=True)
class Files:
    """Findings about files.

    Attributes:
        lines: in a few words each.
        sheets: number that look like sheets of sprites, if most do; else 0.
        full: whether most have no background.
        pixel_art: whether they are small.
    """

    lines: list[str]
    sheets: int = 0
    full: bool = False
    pixel_art: bool = False


def look_at(files: Sequence[Path]) -> Files:
    """Open files and describe them; those that are missing or no pictures are left out."""
    kinds, sizes, backgrounds, plain = Counter[str](), list[int](), Counter[str](), set[tuple[int, ...]]()
    sheets = 0
    for path in filter(Path.is_file, files):
        kinds[path.suffix.lower().removeprefix(".")] += 1
        if path.suffix.lower() in VECTORS:
            continue
        try:
            image = open_file(path, 64)
        except Unusable:
            continue
        sizes.append(max(image.size))
        sheets += is_sheet(np.asarray(image))
        image.thumbnail((256, 256))
        if image.getchannel("A").getextrema()[0] == 0:
            backgrounds["transparent"] += 1
        else:
            colour = border_colour(np.asarray(image.convert("RGB")))
            backgrounds["of one colour" if colour else "full of picture"] += 1
            plain |= {tuple(level // COARSE for level in colour)} if colour else set()
    lines = [f"files: {', '.join(f'{count} {kind}' for kind, count in kinds.most_common())}"]
    if not sizes:
        return Files(lines)
    lines.append(f"longer sides: {min(sizes)} to {max(sizes)} pixels, median {np.median(sizes):.0f}")
    lines.append(f"backgrounds: {', '.join(f'{count} {kind}' for kind, count in backgrounds.most_common())}")
    if backgrounds["transparent"]:  # they are put on white
        plain.add((255 // COARSE,) * 3)
    if len(plain) > 1:
        lines.append("to have them all on one colour, set clean.solid: replace")
    most = len(sizes) / 2
    return Files(
        lines,
        sheets if sheets > most else 0,
        backgrounds["full of picture"] > most,
        bool(np.median(sizes) <= PIXEL_ART),
    )
