"""Objects of S3, or of a server that speaks it: credentials and AWS_ENDPOINT_URL come from the environment."""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from creatures.runtime.errors import UserError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

T = TypeVar("T")
U = TypeVar("U")

S3 = "s3://"
CHUNK = 1 << 22  # bytes
AT_ONCE = 8  # objects copied at a time


def _store(url: str) -> tuple[FileSystem, str]:
    """The file system that s3://bucket/key is in, and its path there."""
    from pyarrow.fs import FileSystem, S3FileSystem

    if server := os.environ.get("AWS_ENDPOINT_URL"):
        return S3FileSystem(endpoint_override=server), url.removeprefix(S3)
    store, path = FileSystem.from_uri(url)  # asks for the bucket's region
    return store, path


def fetch_object(url: str, target: Path) -> None:
    """Copy s3://bucket/key, of any length, to a file; none is left if that fails.

    Raises:
        UserError: the object is not there, or may not be read.
    """
    try:
        store, path = _store(url)
        with store.open_input_stream(path) as source, open(target, "wb") as out:
            shutil.copyfileobj(source, out, CHUNK)
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, OSError | ValueError):
            raise UserError(f"cannot fetch {url}: {error}") from None
        raise


def put_object(path: Path, url: str) -> None:
    """Copy a file to s3://bucket/key, unless an object of that length is there.

    Raises:
        UserError: the bucket is not there, or may not be written to.
    """
    try:
        store, key = _store(url)
        if store.get_file_info(key).size == path.stat().st_size:
            return
        try:
            with open(path, "rb") as source, store.open_output_stream(key) as out:
                shutil.copyfileobj(source, out, CHUNK)
        except BaseException:
            with suppress(OSError):
                store.delete_file(key)  # closing the stream has completed what was sent
            raise
    except (OSError, ValueError) as error:
        raise UserError(f"cannot write {url}: {error}") from None


def several_at_once(do: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """The results of `do` for each of `items`, in their order, from AT_ONCE threads.

    No more than AT_ONCE items are taken before the first result is asked for, and then one with each.
    """
    items = iter(items)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        under_way = deque(pool.submit(do, item) for item in islice(items, AT_ONCE))
        try:
            while under_way:
                yield under_way.popleft().result()
                under_way.extend(pool.submit(do, item) for item in islice(items, 1))
        finally:
            for future in under_way:
                future.cancel()
