"""Recipes: named overlays of params.yaml, as options of DVC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from creatures.runtime.config import read_yaml
from creatures.runtime.errors import UserError
from creatures.runtime.renamed import RENAMED, SECTIONS

FOLDER = Path(__file__).parents[1] / "recipes"
SWEEPS = "sweeps/"
PLAIN = re.compile(r"[A-Za-z0-9_./%@+*-]+")  # strings that Hydra takes without quotes
BASE = "base"  # key in a recipe: another one that it builds on


def names() -> list[str]:
    """Names of all recipes; those in sweeps/ list several values of a parameter."""
    return sorted(file.relative_to(FOLDER).with_suffix("").as_posix() for file in FOLDER.rglob("*.yaml"))


def described(name: str) -> str:
    """A line with a recipe's name and the comment that its file begins with."""
    first = recipe_file(name).read_text(encoding="utf-8").partition("\n")[0]
    return f"{name:24} {first.removeprefix('#').strip()}"


def no_recipe(name: str) -> str:
    """A stand-in for the flags of a recipe that cannot be read: a target unknown to DVC, so that it runs, queues and
    records nothing.
    """
    return f"no-such-recipe:{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}"


def recipe_file(name: str) -> Path:
    """Path of a recipe. Raises UserError if there is none of that name."""
    if name not in names():
        raise UserError(f"there is no recipe {name!r}; there are {', '.join(names())}")
    return FOLDER / f"{name}.yaml"


def overlay_of(file: Path) -> dict[str, Any]:
    """The values of a recipe's file, merged over those of its base.

    Raises:
        UserError: it or its base cannot be read.
    """
    values = read_yaml(file)
    base = values.pop(BASE, None)
    return overlaid(overlay_of(recipe_file(base)), values) if base else values


def overlaid(values: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """Merge nested dictionaries: values of the second take precedence."""
    merged = dict(values)
    for key, value in overlay.items():
        deep = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = overlaid(merged[key], value) if deep else value
    return merged


def flags(name: str) -> list[str]:
    """`-S key=value` for every value of a recipe; of a sweep `-S key=value,value`. Empty if it changes nothing.

    Values are quoted for DVC, where its grammar needs it, but not for a shell, which does not read quotes in what
    `$( )` prints.

    Raises:
        UserError: there is no such recipe, or it has keys that were renamed.
    """
    pairs = list(leaves(overlay_of(recipe_file(name))))
    if renamed := {f"{key} is called {new} now" for key, _ in pairs if (new := (RENAMED | SECTIONS).get(key))}:
        raise UserError(f"recipe {name}: {'; '.join(sorted(renamed))}")
    if name.startswith(SWEEPS):  # DVC queues a run for each value of a list without brackets
        pairs = [(key, value.removeprefix("[").removesuffix("]")) for key, value in pairs]
    return [part for key, value in pairs for part in ("-S", f"{key}={value}")]


def assignment(key: str, value: Any) -> str:
    """`key=value` for DVC's `-S`."""
    return f"{key}={'' if value == '' else written(value)}"


def leaves(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every value by its dotted key, written in the grammar of DVC's `-S`, which is Hydra's."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", written(value)


def written(value: Any) -> str:
    """A value in Hydra's grammar, without spaces but those inside strings."""
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{key}:{written(item)}' for key, item in value.items())}}}"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    plain = not isinstance(value, str) or (PLAIN.fullmatch(value) and isinstance(YAML(typ="safe").load(value), str))
    if plain:
        return str(value)
    ended = re.sub(r"(\\+)$", r"\1\1", re.sub(r"(\\*)'", r"\1\1\\'", value))
    return f"'{ended}'"
