"""Objects on S3 that are read through copies on this machine, which together stay within a limit."""

from __future__ import annotations

import os
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


@dataclass(frozen=True)
class CachedObject:
    """An object with a known digest, copied to this machine when it is needed.

    Attributes:
        digest: of its bytes, see `digest_of`; it also names the copy, which is shared by all who ask for it.
    """

    url: str
    digest: str
    length: int

    @property
    def path(self) -> Path:
        """Where its copy is, or will be."""
        return cache_folder() / self.digest

    def here(self) -> bool:
        """Whether its copy is there; if so, it counts as used now."""
        with suppress(FileNotFoundError):
            os.utime(self.path)
            return True
        return False

    def fetch(self) -> None:
        """Copy it to `path`, unless it is there. Only one process does; others wait.

        Raises:
            UserError: it cannot be fetched, or is not the one with that digest.
        """
        path = self.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            if not self.here():
                _make_room(self.length)
                fetch_object(self.url, path)
                if digest_of(path) != self.digest:
                    path.unlink()
                    raise UserError(f"{self.url} is not the object that was written there: its digest is another")

    def fetch_ahead(self) -> None:
        """Fetch it in the background, unless it is there."""

        def quietly() -> None:
            with suppress(UserError):  # which whoever needs it will get, too
                self.fetch()

        if not self.here():
            Thread(target=quietly, daemon=True).start()


def cache_folder() -> Path:
    """The folder of copies."""
    return Path(os.environ.get(CACHE) or Path.home() / ".cache" / "creature-pipeline" / "shards")


def _make_room(length: int) -> None:
    """Delete the copies used least recently, so that `length` bytes more are within the limit."""
    try:
        limit = round(float(os.environ.get(CACHE_GB) or DEFAULT_GB) * 1e9)
    except ValueError:
        raise UserError(f"{CACHE_GB} is not a number: {os.environ[CACHE_GB]}") from None
    copies = []
    for path in cache_folder().iterdir():
        if not path.suffix:
            with suppress(FileNotFoundError):  # another process has deleted it
                state = path.stat()
                copies.append((state.st_mtime_ns, state.st_size, path))
    total = length + sum(size for _, size, _ in copies)
    for _, size, path in sorted(copies):
        if total <= limit:
            break
        path.unlink(missing_ok=True)
        total -= size
