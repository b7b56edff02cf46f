"""Names of files: pictures, and what is left aside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from creatures.runtime.errors import UserError

PICTURES = (
    *(".svg", ".svgz", ".gif", ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".heic", ".heif"),
    *(".bmp", ".dib", ".tif", ".tiff", ".ico", ".ppm", ".pgm", ".pbm", ".pnm"),
)
LITTER = ("README.md", "__MACOSX", "Thumbs.db", "desktop.ini")


def is_picture(path: str) -> bool:
    """Whether a file's name says that it is a picture; `clean` checks its contents."""
    return PurePosixPath(path).suffix.lower() in PICTURES


def is_litter(name: str) -> bool:
    """Whether a file or folder is skipped in silence: hidden, README.md, or added by macOS or Windows."""
    return (name.startswith(".") and name != "..") or name in LITTER


def files_below(root: Path) -> Iterator[Path]:
    """Paths of all files below a folder but litter, relative to it.

    Raises:
        UserError: there is a name that cannot be hashed: not UTF-8, or a link to nothing.
    """
    for parent, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not is_litter(name))
        for name in sorted(files):
            path = Path(parent, name)
            relative = path.relative_to(root)
            try:
                str(relative).encode()
            except UnicodeEncodeError:
                shown = str(relative).encode("utf-8", "backslashreplace").decode()
                raise UserError(f"{shown}: the name is not UTF-8, and DVC stops at it: rename the file") from None
            if path.is_symlink() and not path.exists():
                raise UserError(f"{relative} is a link to nothing, and DVC stops at it: remove it")
            if not is_litter(name):
                yield relative
