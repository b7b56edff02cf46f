"""Checks of an SVG: it refers to nothing outside itself, and has no more elements than can be drawn."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes
from xml.etree.ElementTree import Element

from creatures.decoding.raster import open_picture
from creatures.decoding.unusable import BOMB, Unusable

MAX_ELEMENTS = 200_000  # drawn, with everything that <use>, patterns and masks repeat
DATA = re.compile(r"data:image/(png|jpeg|jpg|gif|webp|svg\+xml)((?:;[^;,]*)*),(.*)", re.DOTALL)
URL = re.compile(r"url\(\s*['\"]?\s*([^'\")]*)")
LINK = re.compile(r"url\(\s*(['\"]?)\s*(#?)")
IMPORT = re.compile(r"@import\b[^;]*(;|$)")
GRADIENTS = ("linearGradient", "radialGradient")  # cost nothing to repeat
REFERENCES = ("href", "src")


def neutralise(root: Element, harmless: Callable[[bytes], bytes]) -> bool:
    """Remove, in place, every reference that does not point into the drawing itself or is a small embedded picture.

    Args:
        harmless: does the same for an embedded drawing.

    Returns:
        Whether anything was removed.

    Raises:
        Unusable: an embedded picture would take too much.
    """
    changed = False
    for element in root.iter():
        for key, value in [*element.attrib.items()]:
            kept: str | None = value
            if key.rpartition("}")[2] in REFERENCES:
                kept = value if value.strip().startswith("#") else _embedded(value.strip(), harmless)
            elif "url(" in value:
                kept = _without_links(value)
            if kept is None:
                del element.attrib[key]
            elif kept != value:
                element.attrib[key] = kept
            changed = changed or kept != value
        if local_name(element) == "style" and element.text:
            css = _without_links(IMPORT.sub("", element.text))
            changed, element.text = changed or css != element.text, css
    return changed


def check_size(root: Element) -> None:
    """Raise Unusable if a drawing has more than MAX_ELEMENTS elements with all repetitions."""
    try:
        count = _count_drawn(root)
    except RecursionError:
        raise Unusable(BOMB, "nested too deeply") from None
    if count > MAX_ELEMENTS:
        raise Unusable(BOMB, f"more than {MAX_ELEMENTS:,} elements to draw")


def local_name(element: Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _without_links(text: str) -> str:
    """CSS with `none` for each url( ) that does not begin with #. In one pass: a file may have a million of them."""
    parts, at = [], 0
    while match := LINK.search(text, at):
        quote, inside = match.groups()
        if inside:
            parts.append(text[at : match.end()])
            at = match.end()
            continue
        parts.append(f"{text[at : match.start()]}none")
        closed = max(0, text.find(quote, match.end())) if quote else 0
        end = text.find(")", max(closed, match.end()))
        if end < 0:  # it lasts to the end of the text
            return "".join(parts)
        at = end + 1
    return "".join([*parts, text[at:]])


def _embedded(reference: str, harmless: Callable[[bytes], bytes]) -> str | None:
    """An embedded picture, None for what is none."""
    match = DATA.match(reference)
    if not match:
        return None
    kind, options, content = match.groups()
    try:
        data = base64.b64decode(content) if ";base64" in options else unquote_to_bytes(content)
        if kind != "svg+xml":
            open_picture(data)
            return reference
        return f"data:image/svg+xml;base64,{base64.b64encode(harmless(data)).decode()}"
    except ValueError:  # not base64
        return None
    except Unusable as error:
        if error.reason == BOMB:
            raise
        return None


def _references(element: Element) -> Iterator[str]:
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] in REFERENCES:
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
