"""Errors that end a command in one line."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

# in the environment of processes that were started together: a folder for their errors
ERRORS_DIR = "CREATURES_ERRORS_DIR"
NO_MEMORY = re.compile("out of memory|can't allocate memory|insufficient memory|bad_alloc", re.IGNORECASE)


class UserError(Exception):
    """An error that the user can fix: ends a command in one line, without a traceback."""


def out_of_memory(error: Exception) -> bool:
    """Whether an error of Python, torch or CUDA says that no memory is left."""
    return isinstance(error, MemoryError) or bool(NO_MEMORY.search(str(error)))


def report_error(line: str) -> None:
    """Write a line to stderr, where a closed one is ignored; in one of several processes that were started together,
    to its file in ERRORS_DIR, so that the process that started them prints the same line once.
    """
    text = f"{line}\n".encode(errors="backslashreplace")
    if folder := os.environ.get(ERRORS_DIR):
        with suppress(OSError), open(Path(folder) / os.environ.get("RANK", "0"), "ab") as file:
            file.write(text)
            return
    with suppress(OSError):
        os.write(2, text)  # also in a signal handler


def reported(folder: Path) -> list[str]:
    """The different lines that processes reported in ERRORS_DIR, in order of their ranks."""
    files = sorted(folder.iterdir(), key=lambda file: int(file.name))
    return list(dict.fromkeys(line for file in files for line in file.read_text(encoding="utf-8").splitlines()))
