"""Decode raster pictures with Pillow: GIF, PNG, JPEG, WebP, AVIF, BMP, TIFF and others, HEIC with pillow-heif."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import ExifTags, Image, ImageChops, ImageOps, PngImagePlugin

from creatures.decoding.unusable import BOMB, HEIC, NO_PICTURE, UNDECODABLE, Unusable

MAX_PIXELS = 64_000_000
MAX_COMPOSED = 4_000_000_000  # pixels of all frames of an animation up to the last one that is wanted: ten seconds
SIGNATURES = {
    re.compile(rb"GIF8"): "GIF",
    re.compile(rb"\x89PNG\r\n\x1a\n"): "PNG",
    re.compile(rb"\xff\xd8\xff"): "JPEG",
    re.compile(rb"RIFF....WEBP", re.DOTALL): "WEBP",
    re.compile(rb"....ftyp(avif|avis|mif1.{0,64}avif)", re.DOTALL): "AVIF",
    re.compile(rb"....ftyp(heic|heix|hevc|heim|heis|mif1|msf1)", re.DOTALL): "HEIF",
    re.compile(rb"BM"): "BMP",
    re.compile(rb"II\*\0|MM\0\*"): "TIFF",
    re.compile(rb"\x00\x00\x01\x00"): "ICO",
    re.compile(rb"P[1-6]\s"): "PPM",
}
ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
MAX_TEXT = 1 << 26  # bytes of a text in a PNG; image generators write their workflows there
SAME = 2  # levels by which roundings of profiles differ


def kind_of(data: bytes) -> str | None:
    """Pillow's name for the kind of a picture, by its signature; None for an unknown one."""
    return next((kind for signature, kind in SIGNATURES.items() if signature.match(data)), None)


def open_picture(data: bytes) -> Image.Image:
    """Open a picture by its content, reading only its header.

    Raises:
        Unusable: its signature is of no supported kind, or its header is broken
            or claims more than MAX_PIXELS.
    """
    if not data:
        raise Unusable(UNDECODABLE, "empty file")
    kind = kind_of(data)
    if kind is None:
        raise Unusable(NO_PICTURE, "unknown content")
    if kind == "HEIF" and not _can_read_heif():
        raise Unusable(UNDECODABLE, HEIC)
    try:
        with _reading():
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
        per_gif: how many frames of an animation (GIF, WebP, PNG, AVIF), evenly spaced over its loop, or "all".
            Other kinds yield their first frame.

    Raises:
        Unusable: it would take too long, or a frame cannot be decoded; earlier ones have been yielded.
    """
    number = 0
    try:
        count = getattr(image, "n_frames", 1) if image.format in ANIMATED else 1
        wanted = [*range(count)] if per_gif == "all" else spread_over(count, int(per_gif))
        if wanted[-1] * image.width * image.height > MAX_COMPOSED:  # each frame is drawn over the one before
            raise Unusable(BOMB, f"{wanted[-1] + 1:,} frames of {image.width} x {image.height} pixels")
        for number in wanted:
            with _reading():
                image.seek(number)
                image.load()
            frame = _rgba(_in_srgb(_upright(image)))
            if count == 1:
                image.close()  # or its pixels would be in memory twice while the frame is used
            yield number, frame
    except Unusable:
        raise
    except Exception as error:  # a broken file can raise nearly anything
        raise Unusable(UNDECODABLE, f"frame {number}: {' '.join(str(error).split()) or type(error).__name__}") from None


def spread_over(count: int, wanted: int) -> list[int]:
    """At most `wanted` of `count` frames, evenly spaced over a loop, starting with the first."""
    return sorted({i * count // wanted for i in range(wanted)})


def _upright(image: Image.Image) -> Image.Image:
    """Rotate as the EXIF says, if it can be read; a picture that is upright, as nearly all are, is not copied."""
    with _reading():
        image.load()  # the EXIF of a PNG may be at its end
        try:
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
            return ImageOps.exif_transpose(image) if turned else image
        except Exception:  # a damaged EXIF can raise nearly anything
            return image


def _in_srgb(image: Image.Image) -> Image.Image:
    """Convert from the picture's own colour profile, if it has one that can be used and is not sRGB by another name."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode.startswith(("I", "F")):
        return image
    from PIL import ImageCms

    clear = image.mode in ("P", "PA", "LA", "RGBA") or "transparency" in image.info
    alpha = image.convert("RGBA").getchannel("A") if clear else None
    colours = image if image.mode in ("L", "RGB", "CMYK") else image.convert("L" if image.mode == "LA" else "RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(colours, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):  # damaged, or of another kind than the picture
        return image
    assert converted is not None  # as it is not done in place
    if image.mode != "CMYK" and not _differ(converted, colours.convert("RGB")):
        return image
    if alpha:
        converted.putalpha(alpha)
    return converted


def _differ(first: Image.Image, second: Image.Image) -> bool:
    """Whether two RGB pictures differ by more than roundings."""
    histogram = np.array(ImageChops.difference(first, second).histogram()).reshape(3, 256)
    return bool(histogram[:, SAME + 1 :].any())


@contextmanager
def _reading() -> Iterator[None]:
    """Let Pillow read PNGs with long texts, and be silent; as before afterwards."""
    before, PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_CHUNK, MAX_TEXT
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damages and bombs: a picture is checked, and used or refused
            yield
    finally:
        PngImagePlugin.MAX_TEXT_CHUNK = before


def _can_read_heif() -> bool:
    try:
        import pillow_heif
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _rgba(image: Image.Image) -> Image.Image:
    if image.mode == "F":  # of TIFF: from 0 to 1, or to 255
        grey = np.nan_to_num(np.asarray(image))
        return Image.fromarray((grey * (255 if grey.max() <= 1 else 1)).clip(0, 255).astype(np.uint8)).convert("RGBA")
    if not image.mode.startswith("I"):
        return image.convert("RGBA")
    # 16-bit grey, which convert() would clip at 255 rather than scale, or 32-bit
    grey, clear = np.asarray(image), image.info.get("transparency", -1)
    if grey.dtype == np.int32 and (grey.min() < 0 or grey.max() > 0xFFFF):  # unsigned in the file
        grey = (grey.view(np.uint32) >> 16).astype(np.uint16)
    shade, alpha = np.empty(grey.shape, np.uint8), np.empty(grey.shape, np.uint8)
    for out, out_alpha, row in zip(shade, alpha, grey, strict=True):  # row by row: int64 takes eight bytes a pixel
        wide = row.astype(np.int64)
        out[:], out_alpha[:] = (wide // 257).clip(0, 255), np.where(wide == clear, 0, 255)
    return Image.merge("RGBA", [Image.fromarray(x) for x in (shade, shade, shade, alpha)])
