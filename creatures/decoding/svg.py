"""Render SVG with resvg, after checks that the drawing is harmless."""

from __future__ import annotations

import io
import re
from xml.etree.ElementTree import Element, ParseError

from PIL import Image

from creatures.decoding.draw import draw
from creatures.decoding.svg_check import check_drawing, local_name
from creatures.decoding.unusable import NO_PICTURE, UNDECODABLE, Unusable


def is_svg(data: bytes) -> bool:
    """Whether a file's content looks like SVG: XML that names the element."""
    return data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and bool(re.search(rb"<(\w+:)?svg\b", data))


def render(data: bytes, px: int) -> Image.Image:
    """Draw an SVG so that its longer side is `px`.

    Returns:
        RGBA.

    Raises:
        Unusable: it is not SVG, refers to something outside itself, or would draw too much.
    """
    check_drawing(_parse(data))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Unusable(UNDECODABLE, "not UTF-8") from None
    return Image.open(io.BytesIO(draw(text, px))).convert("RGBA")


def _parse(data: bytes) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(data)
    except DefusedXmlException as error:
        raise Unusable(UNDECODABLE, f"refused: {type(error).__name__}") from None
    except (ParseError, ValueError, LookupError) as error:
        raise Unusable(UNDECODABLE, f"not well-formed: {error}") from None
    if local_name(root) != "svg":
        raise Unusable(NO_PICTURE, f"XML of <{local_name(root)}>")
    return root
