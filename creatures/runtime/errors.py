"""Errors that end a command in one line."""

from __future__ import annotations

import re

NO_MEMORY = re.compile("out of memory|can't allocate memory|insufficient memory|bad_alloc", re.IGNORECASE)


class UserError(Exception):
    """An error that the user can fix: ends a command in one line, without a traceback."""


def out_of_memory(error: Exception) -> bool:
    """Whether an error of Python, torch or CUDA says that no memory is left."""
    return isinstance(error, MemoryError) or bool(NO_MEMORY.search(str(error)))
