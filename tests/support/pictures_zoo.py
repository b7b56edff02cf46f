"""Pictures of every kind, good and bad, drawn by the tests themselves."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageSequence

RED, BLUE = (220, 30, 40), (20, 60, 200)
GREY = {RED: 88, BLUE: 64}  # 0.299 R + 0.587 G + 0.114 B, rounded
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {}>{}</svg>'
FLAG = (
    '<rect x="20" y="30" width="20" height="40" fill="rgb{}"/><rect x="40" y="30" width="20" height="40" fill="rgb{}"/>'
)


def flag(mode: str = "RGBA", size: tuple[int, int] = (80, 100)) -> Image.Image:
    """Red left, blue right, 40 x 40, on nothing (RGBA) or white."""
    image = Image.new("RGBA", size, (255, 255, 255, 0))
    image.paste((*RED, 255), (20, 30, 40, 70))
    image.paste((*BLUE, 255), (40, 30, 60, 70))
    if mode == "RGBA":
        return image
    flat = Image.new("RGB", size, (255, 255, 255))
    flat.paste(image, mask=image)
    return flat if mode == "RGB" else flat.convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def raw_png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG of any header, which Pillow would not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def deep_png(colour: int, extra: bytes = b"") -> bytes:
    """The flag as 16-bit PNG: colour 0 grey, 2 RGB, 4 grey with alpha, 6 RGBA."""
    image = flag().convert({0: "L", 2: "RGB", 4: "LA", 6: "RGBA"}[colour]) if colour in (4, 6) else flag("RGB")
    pixels = np.asarray(image.convert("L") if colour == 0 else image).astype(">u2") * 257
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return raw_png(80, 100, 16, colour, rows, extra)


def palette_png() -> bytes:
    image = flag("RGB").quantize(8)
    return saved(image, "PNG", transparency=image.getpixel((0, 0)))


def rotated_jpeg() -> bytes:
    """Stored lying on its side; its EXIF says so."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to look at
    return saved(flag("RGB").rotate(90, expand=True), "JPEG", quality=95, exif=exif)


def svg(body: str, attributes: str = 'width="80" height="100"') -> bytes:
    return SVG.format(attributes, body).encode()


def gif(count: int = 6) -> bytes:
    """Frames whose figure grows, so that each differs; the first is the flag."""
    frames = [flag() for _ in range(count)]
    for i, frame in enumerate(frames):
        frame.paste((20, 160, 60, 255), (20, 70, 60, 70 + 4 * i))
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50, loop=0, disposal=2)


def cmyk_jpeg() -> bytes:
    return saved(flag("RGB").convert("CMYK"), "JPEG", quality=95)


FLAG_SVG = FLAG.format(RED, BLUE)


def swapped_profile(key: tuple[int, int, int] | None = None) -> bytes:
    """A PNG whose colour profile has red and green swapped, and so have its pixels; the background may have a key."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {}
    for number in range(struct.unpack(">I", profile[128:132])[0]):
        start = 132 + 12 * number
        tags[bytes(profile[start : start + 4])] = struct.unpack(">II", profile[start + 4 : start + 12])
    (red, length), (green, _) = tags[b"rXYZ"], tags[b"gXYZ"]
    first, second = profile[red : red + length], profile[green : green + length]
    profile[red : red + length], profile[green : green + length] = second, first
    pixels = np.asarray(flag())[:, :, [1, 0, 2, 3]]
    if key:
        pixels = np.where(pixels[:, :, 3:] > 0, pixels[:, :, :3], np.array(key, np.uint8))
    options = {"transparency": key} if key else {}
    return saved(Image.fromarray(np.ascontiguousarray(pixels)), "PNG", icc_profile=bytes(profile), **options)


def deep_tiff() -> bytes:
    """The flag in 32-bit grey."""
    pixels = np.asarray(flag("L")).astype(np.uint32) * 0x01010101
    return saved(Image.fromarray(pixels.view(np.int32)), "TIFF", tiffinfo={339: 1})  # SampleFormat: unsigned


def long_text() -> bytes:
    """A PNG with more text than Pillow reads."""
    data = saved(flag(), "PNG")
    return data[:33] + png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"workflow " * 300_000)) + data[33:]


def late_text() -> bytes:
    """The same after the pixels."""
    data = saved(flag(), "PNG")
    return data[:-12] + png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"workflow " * 300_000)) + data[-12:]


def animation(kind: str, count: int = 6) -> bytes:
    """The frames of `gif` in another format."""
    with Image.open(io.BytesIO(gif(count))) as image:
        frames = [frame.convert("RGBA") for frame in ImageSequence.Iterator(image)]
    options = {} if kind == "PNG" else {"lossless": True}
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, loop=0, **options)


ILLUSTRATOR = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [
<!ENTITY ns_extend "http://ns.adobe.com/Extensibility/1.0/">
<!ENTITY ns_svg "http://www.w3.org/2000/svg">
]>
<svg xmlns:x="&ns_extend;" xmlns="&ns_svg;" width="80" height="100">{}</svg>"""
LATIN = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
HREF = 'href="http://127.0.0.1/a.png" width="9" height="9"'

# drawings with something that programs write and that must neither be followed nor do harm: each shows the flag
DRAWINGS = {
    "illustrator": ILLUSTRATOR.format(FLAG_SVG).encode(),
    "link": svg(f'<a xlink:href="https://example.org/">{FLAG_SVG}</a>'),
    "font": svg(f"<style>@import url('http://127.0.0.1/a.css');</style>{FLAG_SVG}"),
    "font face": svg(f"<style>@font-face {{ src: url(http://127.0.0.1/a.woff) }}</style>{FLAG_SVG}"),
    "style sheet": b'<?xml-stylesheet href="style.css"?>\n' + svg(FLAG_SVG),
    "file": svg('<image xlink:href="file:///etc/logo.png" width="9" height="9"/>' + FLAG_SVG),
    "path": svg('<image href="/etc/logo.png" width="9" height="9"/>' + FLAG_SVG),
    "http": svg(f"<image {HREF}/>{FLAG_SVG}"),
    "css": svg("<rect width='9' height='9' style='fill:url( \"http://127.0.0.1/a#b\" )'/>" + FLAG_SVG),
    "no drawing in it": svg('<image href="data:image/svg+xml;base64,AAAA"/>' + FLAG_SVG),
    "not base64": svg('<image href="data:image/png;base64,iVBO\u200bRw0K"/>' + FLAG_SVG),
    "unclosed": svg("<rect width='9' height='9' style='fill:url(http://127.0.0.1/a'/>" + FLAG_SVG),
    # each of them is read once, not once for each of the others
    "many links": svg(f"<desc style='{'url(' * 250_000}'/>{FLAG_SVG}"),
    "many names": b"<!-- by hand -->" * 9999
    + b"<!DOCTYPE svg [%b]>" % b"".join(b'<!ENTITY n%d "%d">' % (i, i) for i in range(20_000))
    + svg("<desc>" + "".join(f"&n{i};" for i in range(20_000)) + f"</desc>{FLAG_SVG}"),
    "empty link": svg('<use xlink:href=""/>' + FLAG_SVG),
    "words": svg(f"<title>url(http://example.org)</title><desc>see @import</desc>{FLAG_SVG}"),
    "drawing in it": svg(
        '<image width="80" height="100" href="data:image/svg+xml;base64,'
        + base64.b64encode(svg(f"<image {HREF}/>{FLAG_SVG}")).decode()
        + '"/>'
    ),
    "latin": (LATIN + svg("<title>Fläche</title>" + FLAG_SVG).decode()).encode("latin-1"),
    "utf-16": ('<?xml version="1.0" encoding="UTF-16"?>' + svg(FLAG_SVG).decode()).encode("utf-16"),
    "gzip": gzip.compress(svg(FLAG_SVG)),
}

# name: (bytes, whether it has colours)
GOOD: dict[str, tuple[bytes, bool]] = {
    "alpha.png": (saved(flag(), "PNG"), True),
    "opaque.png": (saved(flag("RGB"), "PNG"), True),
    "palette.png": (palette_png(), True),
    "key.png": (saved(flag("RGB"), "PNG", transparency=(255, 255, 255)), True),
    "grey.png": (saved(flag("L"), "PNG"), False),
    "grey_alpha.png": (saved(flag().convert("LA"), "PNG"), False),
    "deep_grey.png": (deep_png(0), False),
    "deep_grey_key.png": (deep_png(0, png_chunk(b"tRNS", b"\xff\xff")), False),
    "deep_rgb.png": (deep_png(2), True),
    "deep_grey_alpha.png": (deep_png(4), False),
    "deep_rgba.png": (deep_png(6), True),
    "plain.jpg": (saved(flag("RGB"), "JPEG", quality=95), True),
    "grey.jpg": (saved(flag("L"), "JPEG", quality=95), False),
    "cmyk.jpeg": (cmyk_jpeg(), True),
    "rotated.jpg": (rotated_jpeg(), True),
    "alpha.webp": (saved(flag(), "WEBP", lossless=True), True),
    "still.gif": (gif(1), True),
    "drawing.svg": (svg(FLAG_SVG), True),
    "utf8 mark.svg": (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!DOCTYPE svg>\n" + svg(FLAG_SVG), True),
    "wrong ending.png": (saved(flag("RGB"), "JPEG", quality=95), True),
    **{f"a.{kind.lower()}": (saved(flag("RGB"), kind), True) for kind in ("BMP", "TIFF", "PPM")},
    "a.ico": (saved(flag(), "ICO", sizes=[(80, 100)]), True),
    "a.avif": (saved(flag("RGB"), "AVIF", quality=95), True),
    "swapped.png": (swapped_profile(), True),
    "swapped with a key.png": (swapped_profile(key=(9, 8, 7)), True),
    "no exif.webp": (saved(flag(), "WEBP", lossless=True, exif=b"none"), True),
    "long text.png": (long_text(), True),
    "late long text.png": (late_text(), True),
    "floats.tiff": (saved(Image.fromarray(np.asarray(flag("L"), np.float32) / 255), "TIFF"), False),
    "deep.tiff": (deep_tiff(), False),
    **{f"{name}.svg": (data, True) for name, data in DRAWINGS.items()},
}

NESTED = '<g id="a0"><rect width="9" height="9"/></g>' + "".join(
    f'<g id="a{i}">' + f'<use xlink:href="#a{i - 1}"/>' * 10 + "</g>" for i in range(1, 10)
)
ENTITIES = b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'


def long_gif(side: int, frames: int) -> bytes:
    """A GIF whose frames of a pixel are each to be drawn over all of the one before."""
    colours, frame = b"\xff\xff\xff\0\0\0", b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + colours + frame * frames + b";"


# name: (bytes, reason)
BAD: dict[str, tuple[bytes, str]] = {
    "empty.png": (b"", "undecodable"),
    "truncated.png": (saved(flag(), "PNG")[:150], "undecodable"),
    "truncated.jpg": (saved(flag("RGB"), "JPEG")[:500], "undecodable"),
    "truncated.gif": (gif(1)[:40], "undecodable"),
    "header only.webp": (saved(flag(), "WEBP")[:14], "undecodable"),
    "zero.png": (raw_png(0, 0, 8, 2, b""), "undecodable"),
    "text.png": (b"this is no picture\n", "not a picture"),
    "page.svg": (b"<html><body>not found</body></html>", "not a picture"),
    "inside.svg": (b"<html><svg xmlns='http://www.w3.org/2000/svg'/></html>", "not a picture"),
    "bomb.png": (raw_png(20000, 20000, 1, 0, b"\0" * 2501 * 20000), "bomb"),
    "bomb.gif": (b"GIF89a" + struct.pack("<HH", 60000, 60000) + gif(1)[10:], "bomb"),
    "hours.gif": (long_gif(8000, 200), "bomb"),
    "broken.svg": (svg("<rect"), "undecodable"),
    "entities.svg": (ENTITIES + svg("<text>&b;</text>" + FLAG_SVG), "undecodable"),
    "many DOCTYPE.svg": (b'<!DOCTYPE svg [<!ENTITY a "b"> ' + b"<!DOCTYPE[" * 100_000 + svg(""), "undecodable"),
    "outside entity.svg": (b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + svg("&a;"), "undecodable"),
    "uses.svg": (svg(NESTED + '<use xlink:href="#a9"/>'), "bomb"),
    "circle.svg": (svg('<g id="a"><use href="#a"/></g>'), "bomb"),
    "deep.svg": (svg("<g>" * 5000 + FLAG_SVG + "</g>" * 5000), "bomb"),
    "many entities.svg": (
        b'<!DOCTYPE svg [<!ENTITY a "' + b"a" * 9999 + b'">]>' + svg("<text>" + "&a;" * 999 + "</text>"),
        "bomb",
    ),
    "nothing in gzip.svgz": (gzip.compress(b"text"), "undecodable"),
    "damaged.svgz": (gzip.compress(svg(FLAG_SVG))[:-30] + b"x" * 30, "not a picture"),
    "bomb.svgz": (gzip.compress(svg(" " * (1 << 27))), "bomb"),
    "picture.heic": (b"\0\0\0\x18ftypheic", "undecodable"),
    "no size.svg": (svg(FLAG_SVG, 'width="0" height="0"'), "undecodable"),
    "blank.png": (saved(Image.new("RGBA", (50, 50)), "PNG"), "blank"),
    "one colour.png": (saved(Image.new("RGB", (50, 50), RED), "PNG"), "blank"),
    "white on white.png": (saved(Image.new("RGBA", (50, 50), (255, 255, 255, 128)), "PNG"), "blank"),
    "blank.svg": (svg(""), "blank"),
    "small.png": (saved(flag().crop((35, 35, 45, 50)), "PNG"), "too small"),
}


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
