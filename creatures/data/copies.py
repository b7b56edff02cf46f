"""Objects on S3 that are read through copies on this machine, which together stay within a limit."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from filelock import FileLock

from creatures.data.provenance import digest_of
from creatures.runtime.errors import UserError
from creatures.s3 import fetch_object

CACHE = "CREATURES_SHARD_CACHE"  # environment variable: folder for the copies ...
CACHE_GB = "CREATURES_SHARD_CACHE_GB"  # ... and how large it may become
DEFAULT_GB = 20.0
LOCK, PART = ".lock", ".part"
OURS = re.compile(r"[0-9a-f]{16}(\.\d+\.part)?")
ABANDONED = 3600  # seconds without a write, after which an unfinished copy belongs to no process any more


@dataclass(frozen=True)
class CachedObject:
    """An object with a known digest, copied to this machine when it is needed.

    Attributes:
        digest: of its bytes, see `digest_of`; it also names the copy, which is shared by all who ask for it.
        length: in bytes.
    """

    url: str
    digest: str
    length: int

    @property
    def path(self) -> Path:
        """Where its copy is, or will be."""
        return cache_folder() / self.digest

    def here(self) -> bool:
        """Whether its copy is there, whole; if so, it counts as used now."""
        with suppress(OSError):
            if self.path.stat().st_size == self.length:
                os.utime(self.path)
                return True
        return False

    def fetch(self) -> None:
        """Copy it to `path`, unless it is there. Only one process does; others wait.

        Raises:
            UserError: it cannot be fetched, or is not the one with that digest.
        """
        path = self.path
        part = path.with_suffix(f".{self.length}{PART}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(LOCK)):
            if self.here():
                return
            with FileLock(path.with_name("room" + LOCK)):
                _make_room(self.length)
                part.touch()
            fetch_object(self.url, part)
            if digest_of(part) != self.digest:
                part.unlink()
                raise UserError(f"{self.url} is not what was written there; delete it and run dvc repro -fs clean")
            part.replace(path)

    def fetch_anew(self) -> None:
        """Copy it again, where the copy was found damaged, or another process has deleted it to make room."""
        self.path.unlink(missing_ok=True)
        self.fetch()

    def fetch_ahead(self) -> None:
        """Fetch it in the background, unless it is there."""

        def quietly() -> None:
            with suppress(UserError, OSError):  # which whoever needs it will get, too
                self.fetch()

        if not self.here():
            Thread(target=quietly, daemon=True).start()


def cache_folder() -> Path:
    """The folder of copies."""
    return Path(os.environ.get(CACHE) or Path.home() / ".cache" / "creature-pipeline" / "shards")


def limit() -> int:
    """How many bytes the copies may take.

    Raises:
        UserError: the environment has no such number.
    """
    given = os.environ.get(CACHE_GB) or DEFAULT_GB
    with suppress(ValueError, OverflowError):
        if (most := round(float(given) * 1e9)) > 0:
            return most
    raise UserError(f"{CACHE_GB} is {given}: it must be a number above 0")


def _make_room(length: int) -> None:
    """Delete the copies used least recently, so that `length` bytes more are within the limit."""
    most, files, now = limit(), [], time.time()
    for path in cache_folder().iterdir():
        if OURS.fullmatch(path.name):  # the folder may be somebody's
            with suppress(FileNotFoundError):  # another process has deleted it
                state = path.stat()
                taken = int(path.suffixes[0][1:]) if path.suffix == PART else state.st_size
                files.append((state.st_mtime, taken, path))
    total = length + sum(taken for _, taken, _ in files)
    for used, taken, path in sorted(files):
        if total <= most:
            break
        if path.suffix != PART or now - used > ABANDONED:
            with suppress(OSError):  # on Windows, somebody reads it
                path.unlink()
                total -= taken
