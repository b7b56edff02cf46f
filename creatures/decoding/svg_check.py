"""Checks of an SVG: it refers to nothing outside itself, and has no more elements than can be drawn."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from creatures.decoding.raster import open_picture
from creatures.decoding.unusable import BOMB, UNDECODABLE, Unusable

MAX_ELEMENTS = 200_000  # drawn, with everything that <use>, patterns and masks repeat
DATA = re.compile(r"data:image/(?:png|jpeg|jpg|gif|webp);base64,(.*)", re.DOTALL)
URL = re.compile(r"url\(\s*['\"]?\s*([^'\")]*)")
GRADIENTS = ("linearGradient", "radialGradient")  # cost nothing to repeat


def check_drawing(root: Element) -> None:
    """Raise Unusable if a drawing refers to something outside itself, or has more than
    MAX_ELEMENTS elements with all repetitions.
    """
    _check_references(root)
    try:
        count = _count_drawn(root)
    except RecursionError:
        raise Unusable(BOMB, "nested too deeply") from None
    if count > MAX_ELEMENTS:
        raise Unusable(BOMB, f"more than {MAX_ELEMENTS:,} elements to draw")


def local_name(element: Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _check_references(root: Element) -> None:
    """Check that every reference points into the drawing itself, or is a small embedded picture."""
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
        yield from (url.strip() for url in URL.findall(value))
    if local_name(element) == "style":
        yield from (url.strip() for url in URL.findall(element.text or ""))


def _count_drawn(root: Element) -> int:
    """Number of elements drawn when every reference is followed; a cycle counts as too many.

    What a group refers to may be drawn for each of its children, and what a style sheet
    refers to for each element.
    """
    by_id = {element.get("id"): element for element in root.iter() if element.get("id")}
    costs: dict[Element, int] = {}

    def cost(element: Element) -> int:
        if element in costs:
            return costs[element]
        costs[element] = MAX_ELEMENTS + 1  # read before it is known if there is a cycle
        total = 1 + sum(cost(child) for child in element)
        targets = (by_id.get(reference[1:]) for reference in _references(element))
        repeated = [target for target in targets if target is not None and local_name(target) not in GRADIENTS]
        if repeated:
            times = sum(1 for _ in (root if local_name(element) == "style" else element).iter())
            total += times * sum(map(cost, repeated))
        costs[element] = min(total, MAX_ELEMENTS + 1)
        return costs[element]

    return cost(root)
