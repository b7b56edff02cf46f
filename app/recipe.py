"""Overlays of params.yaml by name, as options of DVC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stages.lib.params import UserError, read_yaml

FOLDER = Path(__file__).parents[1] / "recipes"
SWEEPS = "sweeps/"


def names() -> list[str]:
    """All recipes; those in sweeps/ give several values to choose from."""
    return sorted(file.relative_to(FOLDER).with_suffix("").as_posix() for file in FOLDER.rglob("*.yaml"))


def no_recipe(name: str) -> str:
    """A stand-in for the flags of a recipe that cannot be read: a target that DVC does not know, so that it runs,
    queues and records nothing."""
    return f"no-such-recipe:{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}"


def recipe_file(name: str) -> Path:
    """Where a recipe lies. Raises UserError if there is none of that name."""
    if name not in names():
        raise UserError(f"there is no recipe {name!r}; there are {', '.join(names())}")
    return FOLDER / f"{name}.yaml"


def flags(name: str) -> list[str]:
    """`-S key=value` for every value of a recipe; of a sweep `-S key=value,value`. Empty if it changes nothing.

    Raises:
        UserError: there is no such recipe.
    """
    found = leaves(read_yaml(recipe_file(name)))
    if name.startswith(SWEEPS):  # DVC queues a run for each value of an open list
        found = ((key, value.removeprefix("[").removesuffix("]")) for key, value in found)
    return [part for key, value in found for part in ("-S", f"{key}={value}")]


def leaves(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every value by its dotted key, written so that neither a shell nor DVC splits it."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", written(value)


def written(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
