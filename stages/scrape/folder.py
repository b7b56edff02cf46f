"""The source `folder`: any folder of pictures on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stages.lib.params import UserError
from stages.scrape.manifest import Row, failed, is_picture, keep, text

if TYPE_CHECKING:
    from stages.scrape.params import FolderParams


def copy_folder(out: Path, params: FolderParams) -> list[Row]:
    """Copy every picture below a folder; the first subfolder on its way is its label.

    Hidden files and README.md are passed over; everything else that is no readable
    picture inside the folder becomes a failed row.

    Raises:
        UserError: there is no such folder, or no picture in it.
    """
    root = Path(params.path)
    if not root.is_dir():
        raise UserError(f"scrape.folder.path is {params.path!r}: there is no such folder")
    rows = [_copy(root, path, out / "files") for path in _files(root)]
    if not any(row.status == "ok" for row in rows):
        found = f"; its {len(rows)} other files are no pictures that can be read" if rows else ""
        raise UserError(f"scrape.folder.path is {params.path!r}: no pictures there{found}")
    return rows


def _files(root: Path) -> Iterator[Path]:
    """Everything to report on, sorted; a link to a folder counts as a file."""
    for parent, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        for name in sorted(files + links):
            if not name.startswith(".") and name != "README.md":
                yield Path(parent) / name


def _copy(root: Path, path: Path, files: Path) -> Row:
    relative = path.relative_to(root)
    label = relative.parts[0] if len(relative.parts) > 1 else ""
    name = text(str(relative))
    outcome = failed(reason) if (reason := _refusal(root, path)) else _keep(files, str(relative), path)
    return Row(name, text(label), "folder", f"folder:{name}", "unknown", **outcome)


def _refusal(root: Path, path: Path) -> str:
    if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
        return "link leads out of the folder"
    if path.is_dir():
        return "link to a folder"
    if not is_picture(path.name):
        return "not a picture"
    if not path.is_file():  # a broken link, a pipe: reading that would wait forever
        return "not a file"
    return ""


def _keep(files: Path, relative: str, path: Path) -> dict[str, object]:
    try:
        data = path.read_bytes()
    except OSError as error:
        return failed(str(error.strerror).lower())
    return keep(files, relative, data)
