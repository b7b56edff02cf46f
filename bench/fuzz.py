"""Damaged pictures: whether the decoders refuse them in one line, in time, and survive.

    python -m bench.fuzz [--count 10000] [--seed 0] [FOLDER]

Damages the pictures of FOLDER (without it, a drawn one in every format that Pillow writes, animations, SVG) in random
places and decodes them as `clean` does, in processes that may be lost. A decoder may return pictures or raise
Unusable; other errors, a process that ends and a file that takes more than SECONDS are findings: their files are
written to --out, and the exit status is 1.
"""

from __future__ import annotations

import gzip
import io
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image, ImageDraw

from creatures.decoding.files import open_frames
from creatures.decoding.unusable import Unusable
from creatures.runtime.system import begin_child, limit_memory

PX, PER_GIF = 64, 3
ANIMATED = ("GIF", "PNG", "WEBP")
SECONDS = 20.0
LOST_SECONDS = 120.0  # without an answer, the start of a process included
MEMORY = 4 << 30  # bytes of a process
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><defs><linearGradient id="a"><stop offset="0" '
    'stop-color="#f00"/><stop offset="1" stop-color="#00f"/></linearGradient></defs><g transform="rotate(9)">'
    '<image width="9" height="9" href="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4'
    '2mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg=="/>'
    '<ellipse cx="30" cy="32" rx="20" ry="14" fill="url(#a)"/><path d="M9 9c9 0 20 20 9 30z" stroke="#000"/></g></svg>'
)


def drawn() -> list[bytes]:
    """A picture in every format that Pillow writes, an animation, an SVG and a packed one."""
    frames = []
    for shift in range(4):
        image = Image.new("RGBA", (40, 48))
        ImageDraw.Draw(image).ellipse([4 + shift, 6, 30 + shift, 40], (200, 90, 30, 255), (0, 0, 0, 255), 3)
        frames.append(image)
    Image.init()
    files = [SVG.encode(), gzip.compress(SVG.encode())]
    for kind in Image.SAVE:
        for mode in ("RGBA", "RGB", "P", "L", "1"):
            several = {"save_all": True, "append_images": frames} if mode == "RGBA" and kind in ANIMATED else {}
            out = io.BytesIO()
            with suppress(OSError, ValueError, KeyError, AttributeError):  # not in this mode
                frames[0].convert(mode).save(out, kind, **several)
                files.append(out.getvalue())
    return files


def damaged(files: list[bytes], number: int, seed: int) -> bytes:
    """The same for the same number: one of the files with up to four damages."""
    rng = np.random.default_rng((seed, number))
    data = bytearray(files[rng.integers(len(files))])
    for _ in range(rng.integers(1, 5)):
        if not data:
            break
        at, length = int(rng.integers(len(data))), int(2 ** rng.uniform(0, 6))
        match rng.integers(6):
            case 0:
                data[at] ^= 1 << int(rng.integers(8))
            case 1:
                data[at : at + length] = rng.bytes(length)
            case 2:
                data[at : at + 4] = bytes([int(rng.choice([0, 1, 0x7F, 0x80, 0xFF]))]) * 4
            case 3:
                del data[at : at + length]
            case 4:
                data[at:at] = data[at : at + length] * int(rng.integers(1, 9))
            case 5:
                other = files[rng.integers(len(files))]
                data[at : at + length] = other[at % len(other) :][:length]
    return bytes(data[: int(rng.integers(len(data) + 1))] if rng.random() < 0.1 else data)


def outcome(data: bytes, path: Path) -> tuple[str, str]:
    """Kind and details: `pictures`, `refused`, or `error`."""
    path.write_bytes(data)
    try:
        for _, frame in open_frames(path, PX, PER_GIF):
            frame.load()
        return "pictures", ""
    except Unusable as reason:
        return "refused", str(reason)
    except Exception as error:
        return "error", f"{type(error).__name__}: {error}"


Decode = Callable[[bytes, Path], tuple[str, str]]


def work(decode: Decode, files: list[bytes], numbers: range, seed: int, part: Path, results: Connection) -> None:
    """In a process of its own: sends the outcome of each number."""
    begin_child()
    limit_memory(MEMORY)
    for number in numbers:
        began = time.monotonic()
        found = decode(damaged(files, number, seed), part)
        seconds = time.monotonic() - began
        results.send(found if seconds < SECONDS else ("slow", f"{seconds:.0f} s"))


def survey(files: list[bytes], count: int, seed: int, part: Path, decode: Decode = outcome) -> list[tuple[str, str]]:
    """The outcome of each number; when a process is lost, another continues after the number that it was at."""
    context = multiprocessing.get_context("spawn")
    outcomes: list[tuple[str, str]] = []
    while len(outcomes) < count:
        results, sender = context.Pipe(duplex=False)
        numbers = range(len(outcomes), count)
        process = context.Process(target=work, args=(decode, files, numbers, seed, part, sender))
        process.start()
        sender.close()
        while len(outcomes) < count:
            if not results.poll(LOST_SECONDS):
                outcomes.append(("slow", f"more than {LOST_SECONDS:.0f} s"))
                process.kill()
                break
            try:
                outcomes.append(results.recv())
            except EOFError:
                process.join()
                outcomes.append(("lost", f"the process ended with {process.exitcode}"))
                break
            if sys.stderr.isatty():
                print(f"\r{len(outcomes)}/{count} ", end="", file=sys.stderr)
        process.join()
    return outcomes


def main(
    folder: Annotated[Path | None, typer.Argument(exists=True, file_okay=False, help="Files to damage.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Damaged files.")] = 10_000,
    seed: int = 0,
    out: Annotated[Path, typer.Option(help="Folder for the files of findings.")] = Path("samples/fuzz"),
) -> None:
    files = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()] if folder else drawn()
    out.mkdir(parents=True, exist_ok=True)
    part = out / ".part"
    files = [data for data in files if outcome(data, part)[0] == "pictures"]
    began = time.monotonic()
    outcomes = survey(files, count, seed, part)
    part.unlink(missing_ok=True)
    counts = Counter(kind for kind, _ in outcomes)
    print(f"fuzz: {count:,} damages of {len(files)} files in {time.monotonic() - began:.0f} s:", dict(counts))
    findings = [(number, *found) for number, found in enumerate(outcomes) if found[0] not in ("pictures", "refused")]
    for number, kind, details in findings:
        (out / str(number)).write_bytes(damaged(files, number, seed))
        print(f"{out / str(number)}: {kind}: {details}")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    typer.run(main)
