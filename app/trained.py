"""Compare the parameters that a network was trained with to those of params.yaml."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from app.networks import is_own
from creatures.data.loading import read_header
from creatures.data.pictures import ADDED
from creatures.runtime.config import flat, lookup, read_yaml
from creatures.runtime.errors import UserError

PARAMS = Path("params.yaml")


def cleaning_of(path: Path) -> dict[str, Any]:
    """Cleaning parameters of the pictures that a network was trained on: values by dotted key, such as clean.margin.

    Raises:
        UserError: the file is missing, does not say, or is the user's own and params.yaml has changed since.
    """
    noted = read_header(path).get("cleaning")
    cleaning: dict[str, Any] = ADDED | (noted or {})
    if not noted:
        raise UserError(f"{path} does not say how its pictures were cleaned; run dvc repro")
    if is_own(path) and (changed := _changed(cleaning)):
        raise UserError(f"{path} was trained on pictures cleaned with {changed}; run dvc repro")
    return cleaning


def note_changes(*paths: Path) -> None:
    """Say on stderr which parameters that a network was trained with have since changed in params.yaml.

    Raises:
        UserError: a file is missing or damaged.
    """
    for path in paths:
        if not is_own(path):  # it has its own parameters, whatever params.yaml says
            continue
        header = read_header(path)
        trained = {"common": header.get("common"), path.stem: header.get("params")}
        try:
            changed = _changed(flat({name: part or {} for name, part in trained.items()}))
        except UserError:  # generating does not depend on params.yaml
            continue
        if changed:
            print(f"note: {path} was trained with {changed}: dvc repro trains anew", file=sys.stderr)


def _changed(trained: dict[str, Any]) -> str:
    """Text of the values that differ in params.yaml, "" for none; keys that it does not have count as the same."""
    params = read_yaml(PARAMS) if PARAMS.exists() else {}
    current = {key: lookup(params, key) for key in trained}
    differing = {
        key: value
        for key, value in current.items()
        if value is not None and value != trained[key] and not isinstance(value, dict)  # the key is a section now
    }
    return "; ".join(f"{key} {trained[key]}, params.yaml says {value}" for key, value in differing.items())
