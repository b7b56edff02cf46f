"""Speed at which training gets its batches from one file and from shards, out of the system's cache and from the disk.

    python -m bench.shards [--count PICTURES] [--px SIDE] [--batch PICTURES]

Writes random pictures in both forms to TMPDIR, and reads an epoch of each in its order.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from creatures.data.pictures import IMAGES, open_images
from creatures.data.shards import write_shards
from creatures.training.batches import Batches
from stages.clean.pack import write_images

CHUNK = 1000


def drawn(count: int, px: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    for start in range(0, count, CHUNK):
        yield rng.integers(0, 256, (min(CHUNK, count - start), 3, px, px), np.uint8)


def forget(folder: Path) -> None:
    """Drop a folder's files from the system's cache."""
    for path in folder.iterdir():
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


def epoch(folder: Path, batch: int) -> float:
    """Pictures per second of one epoch."""
    images = open_images(folder)
    batches = Batches(np.arange(len(images)), batch, 0, images)
    began, steps = time.monotonic(), len(images) // batch
    for step in range(steps):
        images[batches[step]].sum()
    return steps * batch / (time.monotonic() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--px", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    args = parser.parse_args()
    with TemporaryDirectory() as name:
        one, many = Path(name, "one"), Path(name, "shards")
        one.mkdir()
        many.mkdir()
        write_images(one / IMAGES, args.count, args.px, drawn(args.count, args.px))
        splits, labels = np.full(args.count, "train"), np.zeros(args.count, int)
        write_shards(many, splits, labels, drawn(args.count, args.px))
        for what, folder in (("one file", one), ("shards", many)):
            forget(folder)
            disk, cache = epoch(folder, args.batch), epoch(folder, args.batch)
            bytes_ = sum(path.stat().st_size for path in folder.iterdir())
            print(
                f"{what}: {disk:,.0f} pictures a second from the disk, {cache:,.0f} from the cache; "
                f"{bytes_ / args.count:,.0f} bytes a picture",
                flush=True,
            )


if __name__ == "__main__":
    main()
