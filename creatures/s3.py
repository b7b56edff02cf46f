"""Objects of S3, or of a server that speaks it: credentials and AWS_ENDPOINT_URL come from the environment."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from creatures.runtime.errors import UserError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

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
    """Copy s3://bucket/key, of any length, to a file.

    Raises:
        UserError: the object is not there, or may not be read.
    """
    part = target.with_suffix(".part")
    try:
        store, path = _store(url)
        with store.open_input_stream(path) as source, open(part, "wb") as out:
            shutil.copyfileobj(source, out, CHUNK)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot fetch {url}: {error}") from None
    part.replace(target)


def put_object(path: Path, url: str) -> None:
    """Copy a file to s3://bucket/key, unless an object of that length is there.

    Raises:
        UserError: the bucket is not there, or may not be written to.
    """
    try:
        store, key = _store(url)
        if store.get_file_info(key).size == path.stat().st_size:
            return
        with open(path, "rb") as source, store.open_output_stream(key) as out:
            shutil.copyfileobj(source, out, CHUNK)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot write {url}: {error}") from None
