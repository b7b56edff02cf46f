"""Trace the outlines of every picture, in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from creatures.data.pictures import open_images
from creatures.runtime.atomic import preallocate
from creatures.runtime.errors import UserError
from creatures.runtime.system import begin_child, usable_cores, without_interrupts

CHUNK = 512  # pictures mapped into memory at a time by each process

Outline = Callable[[np.ndarray], np.ndarray]


def trace(pictures: Path, folder: Path, outlines: Mapping[str, Outline]) -> dict[str, np.ndarray]:
    """Write `<folder>/<name>.npy`, uint8, N x H x W, for each outline.

    Args:
        pictures: the folder of the packed set.
        folder: created if it is missing.
        outlines: functions from uint8, H x W x 3 to uint8, H x W, by name.

    Returns:
        The fraction of black pixels of each picture, float64, N, for each outline.
    """
    count, _, height, width = open_images(pictures).shape
    folder.mkdir(parents=True, exist_ok=True)
    for name in outlines:
        preallocate(folder / f"{name}.npy", np.uint8, (count, height, width))
    # spawned, since a forked child inherits locks of OpenCV's threads and may wait for them forever
    pool = ProcessPoolExecutor(usable_cores(), get_context("spawn"), _begin_worker)
    try:
        with without_interrupts():  # the workers are started
            results = pool.map(partial(_trace_chunk, pictures, folder, outlines), range(0, count, CHUNK))
        ink = list(results)
    except BrokenProcessPool:
        raise UserError("a process that draws outlines was killed, perhaps for want of memory") from None
    finally:
        pool.shutdown(cancel_futures=True)
    return {name: np.concatenate([part[name] for part in ink]) for name in outlines}


def _begin_worker() -> None:
    cv2.setNumThreads(1)  # processes share the work by pictures
    begin_child()


def _trace_chunk(pictures: Path, folder: Path, outlines: Mapping[str, Outline], start: int) -> dict[str, np.ndarray]:
    # opened per chunk: the pages of a memory map that stays open count as this process's memory
    images = open_images(pictures)[start : start + CHUNK]
    by_kind = {name: np.load(folder / f"{name}.npy", mmap_mode="r+")[start : start + CHUNK] for name in outlines}
    for i, picture in enumerate(images):
        image = np.ascontiguousarray(picture.transpose(1, 2, 0))
        for name, outline in outlines.items():
            by_kind[name][i] = outline(image)
    return {name: (array == 0).mean(axis=(1, 2)) for name, array in by_kind.items()}
