"""Atomic writes: files and folders are complete or absent, however the process that writes them ends."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import prod
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import numpy.typing as npt

PROBE = bytes(1 << 16)


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`, with its suffix, and move it to `path` on success.

    An existing file, perhaps a link into DVC's cache, is replaced and never written to.

    Raises:
        OSError: it cannot be written; with the path and the reason even if a library hides them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".part-{path.name}")
    try:
        with with_filename(path, part):
            try:
                yield part
            except Exception as error:
                if not getattr(error, "errno", None):
                    _raise_os_error(error, part)
                raise
            os.replace(part, path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder next to `folder`, which replaces `folder` on success. OSErrors name it."""
    with fresh_folder(folder.with_name(folder.name + ".part")) as part, with_filename(folder):
        yield part
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(part, folder)


@contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that is removed afterwards; what a killed run left is removed first. OSErrors name it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with with_filename(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def with_filename(path: Path, part: Path | None = None) -> Iterator[None]:
    """Name `path` in OSErrors that name no file, such as that of a write to a full disk, or that name `part`."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(part)):
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from None


def _raise_os_error(error: Exception, part: Path) -> None:
    """Raise the OSError behind an error of safetensors, which states its number, or of torch or NumPy, where writing
    more fails in the same way.
    """
    if number := re.search(r"os error (\d+)", str(error)):
        raise OSError(int(number[1]), "") from None
    with open(part, "ab", buffering=0) as out:
        out.write(PROBE)


def preallocate(path: Path, kind: npt.DTypeLike, shape: tuple[int, ...]) -> np.memmap:
    """Create a memory-mapped .npy file with its disk space allocated at once: if the disk filled up later, the kernel
    would kill the process.
    """
    with with_filename(path):
        mapped = np.lib.format.open_memmap(path, "w+", kind, shape)
        with open(path, "r+b") as file:
            _allocate(file, path.stat().st_size)
    return mapped


def scratch_array(folder: Path, kind: npt.DTypeLike, shape: tuple[int, ...]) -> np.memmap:
    """Create an array in a file without a name, for what need not stay in memory; its disk space, allocated at once,
    is free again with the array, or however the process ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with with_filename(folder), TemporaryFile(dir=folder) as file:
        _allocate(file, prod(shape) * np.dtype(kind).itemsize)
        return np.memmap(file, kind, "w+", shape=shape)


def _allocate(file: IO[bytes], length: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, length)
