"""SVG to pixels, by resvg, once the drawing is known to be harmless."""

from __future__ import annotations

import io
import os
import re
import resource
import signal
from xml.etree.ElementTree import Element, ParseError

from PIL import Image

from stages.clean.svg_check import check_drawing, local_name
from stages.clean.unusable import BOMB, NO_PICTURE, UNDECODABLE, Unusable

CPU_S = 10  # drawing one takes 0.02 s; blurs, masks and markers can be piled up to take hours
MEMORY = 4 << 30


def is_svg(data: bytes) -> bool:
    """Whether a file's content looks like one: XML that names the element."""
    return data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and bool(re.search(rb"<(\w+:)?svg\b", data))


def render(data: bytes, px: int) -> Image.Image:
    """Draw an SVG so that its longer side is `px`.

    Returns:
        RGBA.

    Raises:
        Unusable: it is no SVG, refers to something outside itself, or would draw too much.
    """
    check_drawing(_parse(data))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Unusable(UNDECODABLE, "not UTF-8") from None
    return Image.open(io.BytesIO(_draw(text, px))).convert("RGBA")


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


def _draw(text: str, px: int) -> bytes:
    """PNG bytes, drawn in a child process: resvg cannot be interrupted, and where memory
    ends it takes its process with it."""
    import resvg_py

    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        failed = 1
        try:
            os.close(reader)
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            with open(writer, "wb") as out:
                # Both sides bound the canvas: without them resvg takes any size the drawing
                # asks for. Fonts differ from machine to machine.
                png = resvg_py.svg_to_bytes(svg_string=text, width=px, height=px, dpi=96, skip_system_fonts=True)
                out.write(png)
            failed = 0
        finally:
            os._exit(failed)
    os.close(writer)
    with open(reader, "rb") as source:
        png = source.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        raise Unusable(BOMB, f"takes more than {CPU_S} s to draw")
    if status:
        raise Unusable(UNDECODABLE, "resvg cannot draw it")
    return png
