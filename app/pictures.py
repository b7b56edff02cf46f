"""Write pictures: a file each, all on a sheet, and as a sprite sheet with a table of its cells."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from app.sprites import Style
from creatures.data.sheets import grid
from creatures.runtime.atomic import atomic_file
from creatures.runtime.errors import UserError

DIGITS = 3  # of a file's name at least
NUMBERED = re.compile(r"\d{3,5}\.png")
TEXT = "creature"  # of a PNG: where its address stands
WRITTEN = "creatures"  # of a sheet: where the numbers of pictures and of sprite sheets beside it stand
GAP = 2  # pixels between the pictures of a sheet


@dataclass(frozen=True)
class Form:
    """Form of written pictures.

    Attributes:
        style: of each.
        cells: columns and rows of the sprite sheets that hold them all besides; None for no such sheets.
    """

    style: Style = Style()  # noqa: RUF009, it is frozen
    cells: tuple[int, int] | None = None


PLAIN = Form()


def write_sheet(
    images: np.ndarray, columns: int, out: Path, form: Form = PLAIN, scale: int = 2, made_of: Sequence[str] = ()
) -> list[Path]:
    """Write a sheet of pictures, enlarged by `scale`, and each of them to a folder of its name, without `.png`.

    Args:
        images: uint8, N x 3 x H x W.
        made_of: species, or files that must stay.

    Returns:
        The sheet and the folder.

    Raises:
        UserError: such a file would be replaced.
        OSError: the folder cannot be written to.
    """
    folder = out.with_suffix("")
    spare(made_of, folder, out)
    write_pictures(folder, images, form, sheet=out, columns=columns, scale=scale)
    return [out, folder]


def spare(made_of: Sequence[str], folder: Path, sheet: Path) -> None:
    """Raise UserError if `write_pictures` would replace one of the files that pictures are made of."""
    for path in map(Path, made_of):
        numbered = NUMBERED.fullmatch(path.name) and path.parent.resolve() == folder.resolve()
        if path.is_file() and (numbered or path.resolve() == sheet.resolve()):
            raise replaced(path)


def replaced(path: Path) -> UserError:
    """The error for a file of the user's that would be overwritten."""
    return UserError(f"{path} would be replaced: choose another --out")


def write_pictures(
    folder: Path,
    images: np.ndarray,
    form: Form,
    sheet: Path,
    columns: int,
    scale: int = 1,
    about: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Write pictures as PNG, named by number, and their sheets, in place of those of an earlier call.

    Other files in the folder stay.

    Args:
        images: uint8, N x 3 x H x W.
        sheet: path of the sheet of all, which says what an earlier call wrote to the folder.
        about: what is noted in each picture's file, under TEXT.

    Raises:
        UserError: a file that no earlier call wrote would be replaced.
        OSError: the folder cannot be written to.
    """
    pictures = [form.style.apply(image) for image in images]
    names = names_of(len(images))
    pages = math.ceil(len(images) / math.prod(form.cells)) if form.cells else 0
    previous, targets = earlier(folder, sheet), {folder / name for name in names_of(len(images), pages)}
    in_folder = {sheet} if sheet.parent == folder else set()
    if others := sorted(path for path in (targets | in_folder) - previous if path.exists()):
        raise replaced(others[0])
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as part:
        for number, (name, picture) in enumerate(zip(names, pictures, strict=True)):
            texts = PngImagePlugin.PngInfo()
            if about:
                texts.add_text(TEXT, json.dumps(about[number], sort_keys=True))
            picture.save(Path(part) / name, pnginfo=texts)
        if form.cells:
            _write_sprite_sheets(Path(part), names, pictures, form.cells)
        if plain := form.style == Style():
            contact = Image.fromarray(grid(images, columns).repeat(scale, axis=0).repeat(scale, axis=1))
        else:
            contact = _tiled(pictures, columns, GAP)
        texts = PngImagePlugin.PngInfo()
        texts.add_text(WRITTEN, json.dumps([len(images), pages]))
        with atomic_file(sheet) as part_file:  # first, as the pictures would be nobody's without it
            contact.save(part_file, optimize=plain, pnginfo=texts)
        for path in sorted(Path(part).iterdir()):
            path.replace(folder / path.name)
        for path in previous - targets - {sheet}:
            path.unlink(missing_ok=True)


def names_of(count: int, pages: int = 0) -> list[str]:
    """Names of the files of so many pictures and, after them, of sprite sheets and their tables."""
    digits = max(DIGITS, len(str(count - 1)))
    numbered = [f"{number:0{digits}d}.png" for number in range(count)]
    return [*numbered, *(f"sheet-{page}.{ending}" for page in range(pages) for ending in ("png", "json"))]


def earlier(folder: Path, sheet: Path) -> set[Path]:
    """Files of an earlier call: a sheet and those that it says were written with it; none if it does not say so."""
    try:
        with PngImagePlugin.PngImageFile(sheet) as image:  # of any size
            count, pages = map(int, json.loads(image.info.get(WRITTEN, "")))
    except (OSError, SyntaxError, ValueError, TypeError):
        return set()
    return {sheet, *(folder / name for name in names_of(count, pages))}


def must_end(out: Path, *endings: str) -> None:
    """Raise UserError if a path has none of these endings."""
    if out.suffix not in endings:
        raise UserError(f"{out} must end in {' or '.join(endings)}")


def _write_sprite_sheets(
    folder: Path, names: Sequence[str], pictures: Sequence[Image.Image], cells: tuple[int, int]
) -> None:
    """Write sheets without gaps, and for each a table of its cells in the JSON hash that TexturePacker and Aseprite
    write, and PixiJS, Phaser and others read.
    """
    columns, rows = cells
    width, height = pictures[0].size
    for page in range(math.ceil(len(pictures) / (columns * rows))):
        place = slice(page * columns * rows, (page + 1) * columns * rows)
        sheet = _tiled([picture.convert("RGBA") for picture in pictures[place]], columns, 0, rows)
        frames = {
            name: {
                "frame": {"x": number % columns * width, "y": number // columns * height, "w": width, "h": height},
                "rotated": False,
                "trimmed": False,
                "spriteSourceSize": {"x": 0, "y": 0, "w": width, "h": height},
                "sourceSize": {"w": width, "h": height},
                "duration": 100,
            }
            for number, name in enumerate(names[place])
        }
        meta = {
            "image": f"sheet-{page}.png",
            "format": "RGBA8888",
            "size": {"w": sheet.width, "h": sheet.height},
            "scale": "1",
        }
        sheet.save(folder / f"sheet-{page}.png")
        table = json.dumps({"frames": frames, "meta": meta}, indent=1)
        (folder / f"sheet-{page}.json").write_text(table, encoding="utf-8")


def _tiled(pictures: Sequence[Image.Image], columns: int, gap: int, rows: int = 0) -> Image.Image:
    """Pictures of one size on nothing, RGBA, row by row."""
    width, height = (side + gap for side in pictures[0].size)
    rows = rows or math.ceil(len(pictures) / columns)
    sheet = Image.new("RGBA", (columns * width + gap, rows * height + gap))
    for number, picture in enumerate(pictures):
        place = (gap + number % columns * width, gap + number // columns * height)
        sheet.paste(picture.convert("RGBA"), place)
    return sheet
