"""Pack the cleaned pictures for programs that train on stylegan2-ada's zip files."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from PIL import Image

from app.pictures import must_end
from creatures.data.pictures import SPLITS, open_pictures
from creatures.runtime.atomic import atomic_file
from creatures.runtime.errors import UserError

PER_FOLDER = 1000
MARK = b"packed by creatures"  # the comment of a zip that may be replaced
EPOCH = (1980, 1, 1, 0, 0, 0)  # of all members: the same pictures give the same bytes


def pack(split: str, out: Path) -> Path:
    """Write the pictures of a split, or of `all`, as a zip like those of stylegan2-ada's dataset_tool.py: uncompressed
    PNGs, and `dataset.json` with their labels, numbered in the order of their names, if they have some.

    Raises:
        UserError: there is no such split, no picture in it, or a file of the user's would be replaced.
    """
    must_end(out, ".zip")
    if split not in (*SPLITS, "all"):
        raise UserError(f"there is no split {split!r}, only {', '.join(SPLITS)} and all")
    if out.exists() and not _is_packed(out):
        raise UserError(f"{out} was not written by this command: choose another name")
    pictures = open_pictures()
    rows = range(len(pictures)) if split == "all" else pictures.rows(split).tolist()
    if not rows:
        raise UserError(f"no picture is in {split}")
    species = pictures.column("species")
    numbers = {name: number for number, name in enumerate(sorted({*species.tolist()} - {""}))}
    labels = []
    with atomic_file(out) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as packed:
        for number, row in enumerate(rows):
            name = f"{number // PER_FOLDER:05}/img{number:08}.png"
            png = io.BytesIO()
            Image.fromarray(pictures.images[row].transpose(1, 2, 0)).save(png, "PNG")
            packed.writestr(zipfile.ZipInfo(name, EPOCH), png.getvalue())
            if species[row]:
                labels.append([name, numbers[species[row]]])
        whole = labels if len(labels) == len(rows) else None  # the format knows no pictures without a label
        packed.writestr(zipfile.ZipInfo("dataset.json", EPOCH), json.dumps({"labels": whole}))
        packed.comment = MARK
    return out


def _is_packed(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as found:
            return found.comment == MARK
    except (OSError, zipfile.BadZipFile):
        return False
