"""The type of a body, by its first bytes: headers may be wrong."""

from __future__ import annotations

import re

from creatures.decoding.raster import kind_of

HEAD = 1 << 14  # bytes in which an SVG's first element must begin
SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif", "HEIF": ".heic"}  # of other kinds: their names


class NoPicture(Exception):
    """A body that is not a picture; its message says what it is."""


def suffix(body: bytes) -> str:
    """Ending of a name for a picture of a kind that `clean` reads, such as .png or .svg. Raises NoPicture."""
    if kind := kind_of(body):
        return SUFFIXES.get(kind, f".{kind.lower()}")
    head = re.sub(rb"<!--.*?-->", b"", body[:HEAD], flags=re.DOTALL)
    element = re.search(rb"<([A-Za-z][\w:.-]*)", head)
    is_markup = element is not None and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    root = element[1].lower().split(b":")[-1] if element and is_markup else b""
    if re.search(rb"<!doctype\s+html", head, re.IGNORECASE) or root in (b"html", b"head", b"body"):
        raise NoPicture("not a picture (HTML)")
    if root == b"svg":
        return ".svg"
    raise NoPicture("not a picture" if body else "nothing came")
