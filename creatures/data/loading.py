"""Files that a stage wrote, read back: what is missing or damaged ends in one line that names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

from creatures.runtime.errors import UserError

LONGEST = 120  # characters of a reason
REMEDY = "run dvc checkout or dvc repro"


@contextmanager
def reading(path: Path, remedy: str = REMEDY) -> Iterator[None]:
    """Turn any error inside, where `path` and nothing else is read, into one line that names it.

    Raises:
        UserError: one line with the file and what to do.
    """
    try:
        yield
    except (UserError, MemoryError):
        raise
    except FileNotFoundError as error:
        missing = error.filename or path
        raise UserError(f"{missing} is missing; run the stages before this one (dvc repro)") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {str(error.strerror or error).lower()}; {remedy}") from None
    except Exception as error:  # libraries raise of all kinds where a file is damaged
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST]
        raise UserError(f"{path} is damaged, or no such file of this project ({reason}); {remedy}") from None


def open_array(path: Path, dims: int, dtype: Any) -> np.ndarray:
    """A .npy file, mapped and not read into memory.

    Raises:
        UserError: it is missing, damaged, or has other dimensions or numbers.
    """
    with reading(path):
        found: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        if found.ndim != dims or found.dtype != dtype:
            raise ValueError(f"{found.dtype} in {found.ndim} dimensions, not {np.dtype(dtype)} in {dims}")
    return found


def read_header(path: Path) -> dict[str, Any]:
    """The JSON header of a .safetensors file, without its tensors.

    Raises:
        UserError: the file is missing or damaged.
    """
    with reading(path), safe_open(path, framework="np") as file:
        return dict(json.loads(file.metadata()["header"]))
