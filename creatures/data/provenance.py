"""Provenance: files carry the digests of all their ancestors, which are compared before files are used together.

Weights have them in their header, the mixture in an array, outlines and embeddings in a JSON file next to them.
Pictures are the roots: their index has a digest of each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from creatures.artifacts import ARTIFACTS
from creatures.data.loading import read_header, reading
from creatures.runtime.atomic import atomic_file
from creatures.runtime.errors import UserError

NAMES = {path.name: artifact.name for path, artifact in ARTIFACTS.items()}
START = "start"  # key in weights' `made_from`: the file that their training started from
DIGITS = 16  # hex digits of a SHA-256


def digest_of(path: Path) -> str:
    """Digest of a file's bytes.

    Raises:
        UserError: it is missing or cannot be read.
    """
    with reading(path):
        state = path.stat()
        return _digest(path.resolve(), state.st_mtime_ns, state.st_size, state.st_ino)


@lru_cache
def _digest(path: Path, *state: int) -> str:
    """Cached while a file's `state` stays the same: hashing embeddings of a million pictures takes seconds."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]


def ancestors(*paths: Path) -> dict[str, str]:
    """Digests, by name, of files that are used together and of all their ancestors: the `made_from` of a file made
    from them. Files need not share the weights that trainings started from: these are named by the kind of network
    trained, such as `start of encoder`, and those of the first file that knows them are returned.

    Raises:
        UserError: a file is missing or damaged, does not say what it was made from, or two of them come from
            different runs.
    """
    digests: dict[str, tuple[str, Path]] = {}
    for path in paths:
        kind = NAMES.get(path.name, path.name)
        for name, digest in {**_made_from(path), kind: digest_of(path)}.items():
            name = f"{START} of {kind}" if name == START else name
            other, source = digests.setdefault(name, (digest, path))
            if other != digest and not name.startswith(f"{START} of "):
                raise UserError(f"{source} and {path} are of different runs: not the same {name}; run dvc repro")
    return {name: digest for name, (digest, _) in sorted(digests.items())}


def sidecar(path: Path) -> Path:
    """The JSON file that says what an array was made from."""
    return path.with_suffix(".json")


def write_sidecar(path: Path, made_from: Mapping[str, str]) -> None:
    """Record what an array was made from, once it is complete."""
    with atomic_file(sidecar(path)) as part:
        part.write_text(json.dumps(made_from, sort_keys=True, indent=1) + "\n", encoding="utf-8")


def _made_from(path: Path) -> dict[str, str]:
    if path.suffix == ".parquet":
        return {}
    if path.suffix == ".safetensors":
        made_from = read_header(path).get("made_from")
    elif path.suffix == ".npz":
        with reading(path), np.load(path, allow_pickle=False) as arrays:
            made_from = json.loads(str(arrays["made_from"])) if "made_from" in arrays.files else None
    else:
        path = sidecar(path)
        with reading(path):
            made_from = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(made_from, dict):
        raise UserError(f"{path} does not say what it was made from; run dvc repro")
    return made_from
