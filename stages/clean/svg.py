"""SVG to pixels, by resvg, once the drawing is known to be harmless."""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from PIL import Image

from stages.clean.raster import open_picture
from stages.clean.unusable import BOMB, NO_PICTURE, UNDECODABLE, Unusable

MAX_ELEMENTS = 200_000  # drawn, with everything that <use>, patterns and masks repeat
DATA = re.compile(r"data:image/(?:png|jpeg|jpg|gif|webp);base64,(.*)", re.DOTALL)
URL = re.compile(r"url\(\s*['\"]?\s*([^'\")]*)")
GRADIENTS = ("linearGradient", "radialGradient")  # cost nothing to repeat


def is_svg(data: bytes) -> bool:
    """Whether a file's content looks like one: XML that soon names the element."""
    return data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and bool(re.search(rb"<(\w+:)?svg\b", data))


def render(data: bytes, px: int) -> Image.Image:
    """Draw an SVG so that its longer side is `px`.

    Returns:
        RGBA.

    Raises:
        Unusable: it is no SVG, refers to something outside itself, or would draw too much.
    """
    import resvg_py

    root = _parse(data)
    _check_references(root)
    try:
        if _drawn(root) > MAX_ELEMENTS:
            raise Unusable(BOMB, f"more than {MAX_ELEMENTS:,} elements to draw")
        # Both sides bound the canvas: without them resvg takes any size the drawing asks for.
        # Fonts differ from machine to machine.
        png = resvg_py.svg_to_bytes(svg_string=data.decode(), width=px, height=px, dpi=96, skip_system_fonts=True)
    except (ValueError, RecursionError) as error:
        raise Unusable(UNDECODABLE, str(error)) from None
    return Image.open(io.BytesIO(png)).convert("RGBA")


def _parse(data: bytes) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(data)
    except DefusedXmlException as error:
        raise Unusable(UNDECODABLE, f"refused: {type(error).__name__}") from None
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise Unusable(UNDECODABLE, f"not well-formed: {error}") from None
    if _name(root) != "svg":
        raise Unusable(NO_PICTURE, f"XML of <{_name(root)}>")
    return root


def _check_references(root: Element) -> None:
    """Every reference must point into the drawing itself, or be a small picture within it."""
    for element in root.iter():
        for reference in _references(element):
            if not reference.startswith("#"):
                _check_embedded(reference)
        if "@import" in (element.text or "") or any("@import" in value for value in element.attrib.values()):
            raise Unusable(UNDECODABLE, "refused: @import")


def _check_embedded(reference: str) -> None:
    match = DATA.match(reference)
    if not match:
        raise Unusable(UNDECODABLE, f"refused: refers to {reference[:60]!r}")
    try:
        open_picture(base64.b64decode(match[1]))
    except binascii.Error as error:
        raise Unusable(UNDECODABLE, f"embedded picture: {error}") from None


def _references(element: Element) -> Iterator[str]:
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] in ("href", "src"):
            yield value.strip()
        yield from (found.strip() for found in URL.findall(value))
    if _name(element) == "style":
        yield from (found.strip() for found in URL.findall(element.text or ""))


def _drawn(root: Element) -> int:
    """How many elements are drawn when every reference is followed; a circle counts as too many.

    What a group refers to may be drawn for each of its children, and what a style sheet
    refers to for each element.
    """
    by_id = {element.get("id"): element for element in root.iter() if element.get("id")}
    known: dict[Element, int] = {}

    def cost(element: Element) -> int:
        if element in known:
            return known[element]
        known[element] = MAX_ELEMENTS + 1  # seen again before it is known: a circle
        total = 1 + sum(cost(child) for child in element)
        targets = (by_id.get(reference[1:]) for reference in _references(element))
        repeated = [target for target in targets if target is not None and _name(target) not in GRADIENTS]
        if repeated:
            times = sum(1 for _ in (root if _name(element) == "style" else element).iter())
            total += times * sum(map(cost, repeated))
        known[element] = min(total, MAX_ELEMENTS + 1)
        return known[element]

    return cost(root)


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
