"""Rates at which the tests of `clean.upright` find what they are for, and flag good pictures.

    python -m bench.upright [--raw data/raw] [--photos FOLDER] [--count 200]

Good ones: every file of data/raw, as it is, and `count` of them, 400 pixels large, as JPEGs, before a painted sky,
and with room and a shadow. To find: parts of photographs of 400 pixels and more (of installed packages, and of a
folder of yours), pages of text in matplotlib's fonts, the files of data/raw beside each other, with and without lines
and panels, and with room around and watermarks on them, in grey, black or white.
"""

from __future__ import annotations

import argparse
import io
import random
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from creatures.decoding.files import open_file
from creatures.decoding.unusable import Unusable
from stages.clean.upright import TESTS, first_failed

PHOTOS = {
    "gradio": ("media_assets/images/cheetah.jpg", "media_assets/images/tower.jpg"),
    "sklearn": ("datasets/images/china.jpg", "datasets/images/flower.jpg"),
    "matplotlib": ("mpl-data/sample_data/grace_hopper.jpg",),
}
GRIDS = ((2, 1), (1, 2), (3, 1), (2, 2), (3, 2), (3, 3), (4, 4))
WORDS = "a creature of water grass or fire that learns new moves at level thirty six when it holds its stone"
MARKS = ("SAMPLE", "preview", "example.com", "Stock Pics", "do not copy", "\N{COPYRIGHT SIGN} A. Painter")
GROUNDS = {"white": 255, "lavender": 232, "wheat": 223, "#9bb7d4": 178, "#3c6e8f": 99, "#14141e": 21}  # their grey
WHITE = (255, 255, 255)


def within(package: str, path: str = "") -> Path:
    spec = find_spec(package)
    assert spec is not None and spec.origin
    return Path(spec.origin).parent / path


def good(raw: Path) -> Iterator[Image.Image]:
    for row in pq.read_table(raw / "manifest.parquet").to_pylist():
        try:
            if row["status"] == "ok":
                yield open_file(raw / "files" / row["path"], 64)
        except Unusable:
            continue


def jpeg(image: Image.Image, quality: int = 80) -> Image.Image:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality)
    return Image.open(out).convert("RGBA")


def large(image: Image.Image) -> Image.Image:
    return image.resize([max(1, round(400 * side / max(image.size))) for side in image.size])


def on(image: Image.Image, ground: Image.Image) -> Image.Image:
    ground.paste(image, mask=image)
    return ground


def sky(image: Image.Image, rng: random.Random) -> Image.Image:
    """A figure before two colours that fade into each other."""
    ends = np.array([[rng.randint(60, 255) for _ in range(3)] for _ in range(2)])[:, None].astype(np.uint8)
    return jpeg(on(image, Image.fromarray(ends).resize(image.size, Image.Resampling.BILINEAR)))


def part(image: Image.Image, rng: random.Random) -> Image.Image:
    fraction = rng.uniform(0.7, 1)
    x, y = (rng.uniform(0, 1 - fraction) * side for side in image.size)
    right, lower = x + fraction * image.width, y + fraction * image.height
    return image.crop((round(x), round(y), round(right), round(lower)))


def page(rng: random.Random, fonts: list[Path]) -> Image.Image:
    px, colours = rng.randint(14, 48), rng.sample(["white", "black", "wheat", "maroon"], 2)
    if set(colours) in ({"white", "wheat"}, {"black", "maroon"}):
        colours = ["white", "black"]
    image = Image.new("RGBA", (rng.randint(300, 900), rng.randint(250, 900)), colours[0])
    font, pen = ImageFont.truetype(rng.choice(fonts), px), ImageDraw.Draw(image)
    for top in range(px, image.height - 2 * px, round(1.3 * px)):
        line = " ".join(rng.choices(WORDS.split(), k=60))
        while pen.textlength(line, font) > image.width - 2 * px:
            line = line.rpartition(" ")[0]
        pen.text((px, top), line, colours[1], font)
    return image


def beside(images: list[Image.Image], rng: random.Random) -> Image.Image:
    (columns, rows), cell = rng.choice(GRIDS), rng.randint(90, 220)
    look, sheet = rng.choice(["plain", "lines", "panels"]), (columns * cell, rows * cell)
    result = Image.new("RGBA", sheet, rng.choice(["white", "white", "lavender", "#14141e"]))
    pen = ImageDraw.Draw(result)
    for x in range(0, sheet[0], cell):
        for y in range(0, sheet[1], cell):
            colour = tuple(rng.randint(60, 255) for _ in range(3)) if look == "panels" else None
            outline = "black" if look == "lines" else None
            pen.rectangle((x, y, x + cell - 1, y + cell - 1), colour, outline, 2)
            image = rng.choice(images)
            figure = image.crop(image.getchannel("A").getbbox())
            figure = figure.resize([max(1, round(side * 0.85 * cell / max(figure.size))) for side in figure.size])
            result.paste(figure, (x + (cell - figure.width) // 2, y + (cell - figure.height) // 2), figure)
    return jpeg(result)


def room(image: Image.Image, rng: random.Random) -> Image.Image:
    edge = round(rng.uniform(0.05, 0.25) * max(image.size))
    result = Image.new("RGBA", (image.width + 2 * edge, image.height + 2 * edge))
    result.paste(image, (edge, edge))
    return large(result)


def shadow(image: Image.Image, rng: random.Random) -> Image.Image:
    """Shadow of a figure on a wall behind it, or an ellipse below it, soft or hard."""
    image, shade = room(image, rng), Image.new("L", (400, 400))
    if rng.random() < 0.5:
        away = rng.randint(4, 20)
        shade.paste(image.getchannel("A"), (away, away))
    else:
        left, _, right, bottom = image.getbbox() or (0, 0, *image.size)
        half = rng.randint(6, 14)
        ImageDraw.Draw(shade).ellipse((left, bottom - half, right, bottom + half), 255)
    shade = shade.filter(ImageFilter.GaussianBlur(rng.choice([0, 3, 8]))).crop((0, 0, *image.size))
    ground = Image.new("RGBA", image.size, rng.choice(list(GROUNDS)[:4]))
    opaque = rng.uniform(0.15, 0.6)
    ground.paste(Image.new("RGBA", image.size, "black"), mask=shade.point(lambda level: round(opaque * level)))
    return on(image, ground)


def marked(image: Image.Image, look: str, rng: random.Random, fonts: list[Path]) -> Image.Image:
    """Words that let the ground through: tiled, one large, or a small one at the edge (that may be opaque)."""
    image, word, path = room(image, rng), rng.choice(MARKS), rng.choice(fonts)
    mask, opaque = Image.new("L", (800, 800)), rng.uniform(0.4, 1) if look == "small" else rng.uniform(0.15, 0.4)
    pen, font, turn = ImageDraw.Draw(mask), ImageFont.truetype(path, rng.randint(14, 32)), rng.choice([-45, -30, 0, 30])
    if look == "tiled":
        across, down = pen.textlength(word, font) + rng.uniform(0.5, 3) * font.size, rng.uniform(2, 5) * font.size
        for line in range(int(800 / down)):
            for column in range(int(800 / across) + 1):
                pen.text(((column - line % 2 / 2) * across, line * down), word, 255, font)
    elif look == "large":
        px = rng.uniform(0.7, 1) * image.width / pen.textlength(word, ImageFont.truetype(path, 100)) * 100
        pen.text((400, 400), word, 255, ImageFont.truetype(path, px), anchor="mm")
    else:
        x, anchor = rng.choice([(405 - image.width / 2, "ld"), (395 + image.width / 2, "rd"), (400, "md")])
        turn, font = 0, ImageFont.truetype(path, rng.randint(10, 18))
        pen.text((x, 395 + image.height / 2), word, 255, font, anchor=anchor)
    mask = mask.rotate(turn, Image.Resampling.BICUBIC).point(lambda level: round(opaque * level))
    mask = mask.crop((400 - image.width // 2, 400 - image.height // 2, 800, 800)).crop((0, 0, *image.size))
    ground, grey = rng.choice(list(GROUNDS.items()))
    ink = rng.choice([name for name, level in (("black", 0), ("gray", 128), ("white", 255)) if abs(level - grey) > 70])
    result = on(image, Image.new("RGBA", image.size, ground))
    result.paste(Image.new("RGBA", image.size, ink), mask=mask)
    return result


def tell(kind: str, images: Iterable[Image.Image]) -> None:
    failed = np.array([[first_failed(image, WHITE, [name]) > 0 for name in TESTS] for image in images])
    shares = ", ".join(f"{name} {share:.2%}" for name, share in zip(TESTS, failed.mean(axis=0), strict=True))
    print(f"{kind}, {len(failed):,}: {shares}; any {failed.any(axis=1).mean():.2%}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raw", type=Path, default=Path("data/raw"))
    parser.add_argument("--photos", type=Path, help="a folder of more of them")
    parser.add_argument("--count", type=int, default=200, help="made examples of each kind")
    args = parser.parse_args()
    rng = random.Random(0)

    art = list(good(args.raw))
    some = [large(image) for image in rng.sample(art, min(args.count, len(art))) if image.getchannel("A").getbbox()]
    paths = [within(package, name) for package, names in PHOTOS.items() for name in names]
    paths += sorted(args.photos.iterdir()) if args.photos else []
    photos = [photo for path in paths if max((photo := Image.open(path).convert("RGBA")).size) >= 400]
    fonts = sorted(within("matplotlib", "mpl-data/fonts/ttf").glob("DejaVu*[!y].ttf"))  # without "Display": symbols

    tell("as they are", art)
    tell("as JPEG", (jpeg(on(image, Image.new("RGBA", image.size, WHITE)), 75) for image in some))
    tell("before a sky", (sky(image, rng) for image in some))
    tell("photographs", (part(photo, rng) for photo in photos for _ in range(args.count // len(photos))))
    tell("pages of text", (page(rng, fonts) for _ in range(args.count)))
    tell("collages", (beside(some, rng) for _ in range(args.count)))
    for as_file, saved in (("PNG", lambda image: image), ("JPEG", lambda image: jpeg(image, rng.randint(75, 90)))):
        tell(f"with shadows, {as_file}", (saved(shadow(image, rng)) for image in some))
        for look in ("tiled", "large", "small"):
            tell(f"{look} watermarks, {as_file}", (saved(marked(image, look, rng, fonts)) for image in some))


if __name__ == "__main__":
    main()
