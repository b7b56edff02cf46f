"""Render SVG with resvg, after checks that the drawing is harmless."""

from __future__ import annotations

import codecs
import io
import re
import zlib
from xml.etree.ElementTree import Element, ParseError, tostring
from xml.sax.saxutils import escape

from PIL import Image

from creatures.decoding.draw import draw
from creatures.decoding.svg_check import check_size, local_name, neutralise
from creatures.decoding.unusable import BOMB, NO_PICTURE, UNDECODABLE, Unusable

GZIP = b"\x1f\x8b"
MAX_BYTES = 1 << 26  # of a drawing, unpacked
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
DECLARATION = re.compile(r"\s*<\?xml[^>]*?\?>")
ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.-]+)")
DOCTYPE = re.compile(r"(?>\s+|<!--.*?-->|<\?.*?\?>)*+<!DOCTYPE[^\[>]*(\[(.*?)\]\s*)?>", re.DOTALL)
REFERENCE = re.compile(r"&([\w.-]+);")
ENTITY = re.compile(r"<!ENTITY\s+([\w.-]+)\s+(?:\"([^\"&<%]*)\"|'([^'&<%]*)')\s*>")
MAX_ENTITIES = 1 << 20  # characters that entities may add
MAX_NESTED = 3  # drawings in drawings


def is_svg(data: bytes) -> bool:
    """Whether a file's content looks like SVG: XML that names the element, perhaps packed with gzip."""
    if data.startswith(GZIP):
        return True
    if _mark(data) == "utf-16":
        data = data.replace(b"\0", b"")
    start = data[:1024].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return start.startswith(b"<") and bool(re.search(rb"<([\w.-]+:)?svg\b", data))


def render(data: bytes, px: int) -> Image.Image:
    """Draw an SVG so that its longer side is `px`.

    What it refers to outside itself (links, fonts, style sheets, files) is not followed and left out.

    Returns:
        RGBA.

    Raises:
        Unusable: it is not SVG, or would draw too much.
    """
    return Image.open(io.BytesIO(draw(harmless(data), px))).convert("RGBA")


def harmless(data: bytes, depth: int = 0) -> str:
    """The text of a drawing, without anything that refers to something outside itself.

    Raises:
        Unusable: it is not SVG, or would draw too much.
    """
    if data.startswith(GZIP):
        data = _unpacked(data)
    root, as_it_is = _parse(data)
    if depth > MAX_NESTED:
        raise Unusable(BOMB, "drawings nested too deeply")
    changed = neutralise(root, lambda nested: harmless(nested, depth + 1).encode())
    check_size(root)
    if as_it_is and not changed:
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:  # in another encoding
            pass
    return tostring(root, encoding="unicode")


def _unpacked(data: bytes) -> bytes:
    unzip = zlib.decompressobj(wbits=31)
    try:
        unpacked = unzip.decompress(data, MAX_BYTES)
    except zlib.error:
        raise Unusable(NO_PICTURE, "damaged gzip") from None
    if unzip.unconsumed_tail:
        raise Unusable(BOMB, f"unpacks to more than {MAX_BYTES >> 20} MiB")
    return unpacked


def _parse(data: bytes) -> tuple[Element, bool]:
    """The root, and whether the text was parsed as it is, not with entities replaced."""
    from defusedxml.common import DefusedXmlException, EntitiesForbidden
    from defusedxml.ElementTree import fromstring

    as_it_is = True
    try:
        try:
            root = fromstring(data)
        except EntitiesForbidden:
            root, as_it_is = fromstring(_without_entities(data)), False
    except DefusedXmlException as error:
        raise Unusable(UNDECODABLE, f"refused: {type(error).__name__}") from None
    except (ParseError, ValueError, LookupError) as error:
        raise Unusable(UNDECODABLE, f"not well-formed: {error}") from None
    if local_name(root) != "svg":
        raise Unusable(NO_PICTURE, f"XML of <{local_name(root)}>")
    return root, as_it_is


def _without_entities(data: bytes) -> bytes:
    """A drawing without its DOCTYPE, and with the entities that stand for plain text replaced by it.

    Illustrator declares the names of its namespaces so. Others stay, undefined, so that parsing fails.
    """
    declared = ENCODING.search(data[:1024])
    text = data.decode(_mark(data) or (declared[1].decode() if declared else "utf-8"))
    text = DECLARATION.sub("", text, count=1)
    if not (doctype := DOCTYPE.match(text)):
        return text.encode()
    entities = {name: one or other for name, one, other in ENTITY.findall(doctype[2] or "")}
    text = text[doctype.end() :]
    if sum(len(entities.get(found[1], "")) for found in REFERENCE.finditer(text)) > MAX_ENTITIES:
        raise Unusable(BOMB, f"entities add more than {MAX_ENTITIES:,} characters")
    escaped = {name: escape(value, {'"': "&quot;", "'": "&apos;"}) for name, value in entities.items()}
    return REFERENCE.sub(lambda found: escaped.get(found[1], found[0]), text).encode()


def _mark(data: bytes) -> str:
    """The encoding that a file's byte order mark names, "" without one."""
    return next((name for mark, name in BYTE_ORDER_MARKS.items() if data.startswith(mark)), "")
