"""Objects of S3, or of a server that speaks it: credentials and AWS_ENDPOINT_URL come from the environment."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from creatures.runtime.errors import UserError

CHUNK = 1 << 22  # bytes


def copy_object(url: str, target: Path) -> None:
    """Copy s3://bucket/key, of any length, to a file.

    Raises:
        UserError: the object is not there, or may not be read.
    """
    from pyarrow.fs import FileSystem, S3FileSystem

    part = target.with_suffix(".part")
    try:
        if server := os.environ.get("AWS_ENDPOINT_URL"):
            store, path = S3FileSystem(endpoint_override=server), url.removeprefix("s3://")
        else:
            store, path = FileSystem.from_uri(url)  # asks for the bucket's region
        with store.open_input_stream(path) as source, open(part, "wb") as out:
            shutil.copyfileobj(source, out, CHUNK)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot fetch {url}: {error}") from None
    part.rename(target)
