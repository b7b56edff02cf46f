"""Where pictures come from: each source is a function of its params, found by name.

A source is called with the folder to write into and its own params section. It writes
pictures below `files/`, licence texts beside it, and returns a manifest row a file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from stages.scrape.folder import copy_folder
from stages.scrape.manifest import Row
from stages.scrape.npm import fetch_package

SOURCES: dict[str, Callable[[Path, Any], list[Row]]] = {"npm": fetch_package, "folder": copy_folder}
