"""The type of a body, by its first bytes: headers may be wrong."""

from __future__ import annotations

import re

HEAD = 1 << 14  # bytes in which an SVG's first element must begin
SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"GIF87a": ".gif",
    b"GIF89a": ".gif",
}


class NoPicture(Exception):
    """A body that is not a picture; its message says what it is."""


def suffix(body: bytes) -> str:
    """.png, .jpg, .gif, .webp or .svg. Raises NoPicture."""
    for signature, name in SIGNATURES.items():
        if body.startswith(signature):
            return name
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return ".webp"
    head = re.sub(rb"<!--.*?-->", b"", body[:HEAD], flags=re.DOTALL)
    element = re.search(rb"<([A-Za-z][\w:.-]*)", head)
    is_markup = element is not None and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    root = element[1].lower().split(b":")[-1] if element and is_markup else b""
    if re.search(rb"<!doctype\s+html", head, re.IGNORECASE) or root in (b"html", b"head", b"body"):
        raise NoPicture("not a picture (HTML)")
    if root == b"svg":
        return ".svg"
    raise NoPicture("not a picture" if body else "nothing came")
