"""What a file's name says: a picture, or something that is left aside."""

from __future__ import annotations

from pathlib import PurePosixPath

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
