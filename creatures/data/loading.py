"""Read files that stages wrote: a missing or damaged one ends in one line that names it."""

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
    """Turn any error in the block, which reads `path` and nothing else, into one line that names it.

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
    except Exception as error:  # a damaged file can make libraries raise anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST]
        raise UserError(f"{path} is damaged, or no such file of this project ({reason}); {remedy}") from None


def open_array(path: Path, dims: int, dtype: Any) -> np.ndarray:
    """Open a .npy file memory-mapped, without reading it into memory.

    Raises:
        UserError: it is missing, damaged, or has other dimensions or another dtype.
    """
    with reading(path):
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        if array.ndim != dims or array.dtype != dtype:
            raise ValueError(f"{array.dtype} in {array.ndim} dimensions, not {np.dtype(dtype)} in {dims}")
    return array


def read_header(path: Path) -> dict[str, Any]:
    """Read the JSON header of a .safetensors file, without its tensors.

    Raises:
        UserError: the file is missing or damaged.
    """
    with reading(path), safe_open(path, framework="np") as file:
        return dict(json.loads(file.metadata()["header"]))
