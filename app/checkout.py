"""Where commands work: in the checkout that they are called in, however deep."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

MARKS = ("dvc.yaml", "params.yaml")  # a folder with both is a checkout
OUTPUTS = ("models", "data")  # where one of these folders is, commands work without the rest
PICTURES = ("first", "second", "like")  # parameters that name a species or a file


class InCheckout(TyperCommand):
    """A command that runs in the root of its checkout, as those of git and DVC do.

    Paths that its user gives are seen from where the user stands, those that are not given from the root.
    """

    def invoke(self, ctx: Any) -> Any:
        here = Path.cwd()
        root = checkout(here)
        if root is None and not any((here / name).is_dir() for name in OUTPUTS):
            named = " and ".join(MARKS)
            sys.exit(f"{ctx.info_name}: there is no checkout, a folder with {named}, in {here} or above it")
        if root not in (None, here):
            for name, value in ctx.params.items():
                if ctx.get_parameter_source(name).name != "DEFAULT":
                    ctx.params[name] = seen_from(here, value, name in PICTURES)
            os.chdir(root)
            print(f"{ctx.info_name}: in {root}", file=sys.stderr)
        return super().invoke(ctx)


def checkout(folder: Path) -> Path | None:
    """The nearest folder with MARKS, from this one up; None where there is none."""
    return next((at for at in (folder, *folder.parents) if all((at / name).is_file() for name in MARKS)), None)


def seen_from(folder: Path, value: Any, may_name_file: bool) -> Any:
    """A path, or several, as they are from anywhere; all else as it is.

    Args:
        may_name_file: whether a text is a path where there is such a file.
    """
    if isinstance(value, list):
        return [seen_from(folder, one, may_name_file) for one in value]
    if isinstance(value, Path) or (may_name_file and (folder / value).is_file()):
        return type(value)(folder / value)
    return value
