"""Parameters that a network was trained with, compared with those of params.yaml by now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from app.networks import is_released
from creatures.data.loading import read_header
from creatures.runtime.config import flat, lookup, read_yaml
from creatures.runtime.errors import UserError

PARAMS = Path("params.yaml")


def cleaning_of(path: Path) -> dict[str, Any]:
    """Cleaning parameters of the pictures that a network was trained on: values by dotted key, such as clean.margin.

    Raises:
        UserError: the file is missing, does not say, or is one's own and params.yaml says otherwise by now.
    """
    found = read_header(path).get("cleaning")
    if not found:
        raise UserError(f"{path} does not say how its pictures were cleaned; run dvc repro")
    if not is_released(path) and (changed := _changed(found)):
        raise UserError(f"{path} was trained on pictures cleaned with {changed}; run dvc repro")
    return found


def note_changes(*paths: Path) -> None:
    """Say on stderr which parameters of its own a network was trained with that params.yaml has otherwise by now.

    Raises:
        UserError: a file is missing or damaged.
    """
    for path in paths:
        if is_released(path):  # of its own parameters, whatever params.yaml says
            continue
        header = read_header(path)
        trained = {"common": header.get("common"), path.stem: header.get("params")}
        try:
            changed = _changed(flat({name: part or {} for name, part in trained.items()}))
        except UserError:  # params.yaml is no matter of what only draws
            continue
        if changed:
            print(f"note: {path} was trained with {changed}: dvc repro trains anew", file=sys.stderr)


def _changed(trained: dict[str, Any]) -> str:
    """Which values params.yaml has otherwise, "" for none; what it has not at all counts as the same."""
    now = read_yaml(PARAMS) if PARAMS.exists() else {}
    by_now = {key: lookup(now, key) for key in trained}
    other = {
        key: found
        for key, found in by_now.items()
        if found is not None and found != trained[key] and not isinstance(found, dict)  # a section, of late
    }
    return "; ".join(f"{key} {trained[key]}, params.yaml says {found}" for key, found in other.items())
