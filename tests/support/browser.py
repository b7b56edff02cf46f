"""The accessibility checker that tests run in the browser."""

from __future__ import annotations

import tarfile
from pathlib import Path

from creatures.npm import pack


def checker(folder: Path) -> str:
    """The script of axe-core, which checks a page's accessibility, fetched by npm."""
    with tarfile.open(pack("axe-core@4.14.1", folder)) as archive:
        source = archive.extractfile("package/axe.min.js")
        assert source is not None
        return source.read().decode()
