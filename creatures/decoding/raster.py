"""Decode GIF, PNG, JPEG and WebP with Pillow."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import ExifTags, Image, ImageOps

from creatures.decoding.unusable import BOMB, NO_PICTURE, UNDECODABLE, Unusable

MAX_PIXELS = 64_000_000
SIGNATURES = {b"GIF8": "GIF", b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"RIFF": "WEBP"}


def open_picture(data: bytes) -> Image.Image:
    """Open a picture by its content, reading only its header.

    Raises:
        Unusable: its signature is of no supported kind, or its header is broken
            or claims more than MAX_PIXELS.
    """
    if not data:
        raise Unusable(UNDECODABLE, "empty file")
    kind = next((kind for signature, kind in SIGNATURES.items() if data.startswith(signature)), None)
    if kind is None:
        raise Unusable(NO_PICTURE, "unknown content")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # bombs are checked below; other warnings mean nothing to a user
            image = Image.open(io.BytesIO(data), formats=[kind])
    except Image.DecompressionBombError:
        raise Unusable(BOMB, "more pixels than Pillow opens") from None
    except Exception:
        raise Unusable(UNDECODABLE, f"broken {kind} header") from None
    if image.width * image.height > MAX_PIXELS:
        raise Unusable(BOMB, f"{image.width} x {image.height} pixels")
    return image


def frames(image: Image.Image, per_gif: int | str) -> Iterator[tuple[int, Image.Image]]:
    """The frames to keep, as RGBA, upright.

    Args:
        per_gif: how many frames of a GIF, evenly spaced over its loop, or "all". Other kinds
            yield their first frame.

    Raises:
        Unusable: a frame cannot be decoded; earlier ones have been yielded.
    """
    number = 0
    try:
        count = getattr(image, "n_frames", 1) if image.format == "GIF" else 1
        for number in range(count) if per_gif == "all" else spread_over(count, int(per_gif)):
            image.seek(number)
            frame = _rgba(_upright(image))
            if count == 1:
                image.close()  # or its pixels would be in memory twice while the frame is used
            yield number, frame
    except Exception as error:  # a broken file can raise nearly anything
        raise Unusable(UNDECODABLE, f"frame {number}: {' '.join(str(error).split()) or type(error).__name__}") from None


def spread_over(count: int, wanted: int) -> list[int]:
    """At most `wanted` of `count` frames, evenly spaced over a loop, starting with the first."""
    return sorted({i * count // wanted for i in range(wanted)})


def _upright(image: Image.Image) -> Image.Image:
    """Rotate as the EXIF says; a picture that is upright already, as nearly all are, is not copied."""
    image.load()  # the EXIF of a PNG may be at its end
    return image if image.getexif().get(ExifTags.Base.Orientation, 1) == 1 else ImageOps.exif_transpose(image)


def _rgba(image: Image.Image) -> Image.Image:
    if not image.mode.startswith("I"):
        return image.convert("RGBA")
    # 16-bit grey, which convert() would clip at 255 rather than scale
    grey, clear = np.asarray(image), image.info.get("transparency", -1)
    shade, alpha = np.empty(grey.shape, np.uint8), np.empty(grey.shape, np.uint8)
    for out, out_alpha, row in zip(shade, alpha, grey, strict=True):  # row by row: int64 takes eight bytes a pixel
        wide = row.astype(np.int64)
        out[:], out_alpha[:] = (wide // 257).clip(0, 255), np.where(wide == clear, 0, 255)
    return Image.merge("RGBA", [Image.fromarray(x) for x in (shade, shade, shade, alpha)])
