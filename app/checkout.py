"""Working folder of commands: the root of the checkout that they are called in."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

MARKS = ("dvc.yaml", "params.yaml")  # a folder with both is a checkout
OUTPUTS = ("models", "data")  # in a folder with one of these, commands work without a checkout
PICTURES = ("first", "second", "like", "whats")  # parameters that name a species or a file


class InCheckout(TyperCommand):
    """A command that runs in the root of its checkout, like those of git and DVC.

    Paths from the user are relative to the user's folder, default ones to the root.
    """

    def invoke(self, ctx: Any) -> Any:
        cwd = Path.cwd()
        root = checkout(cwd)
        if root is None and not any((cwd / name).is_dir() for name in OUTPUTS):
            marks = " and ".join(MARKS)
            sys.exit(f"{ctx.info_name}: there is no checkout, a folder with {marks}, in {cwd} or above it")
        if root not in (None, cwd):
            for name, value in ctx.params.items():
                if is_given(ctx, name):
                    ctx.params[name] = seen_from(cwd, value, name in PICTURES)
            os.chdir(root)
            print(f"{ctx.info_name}: in {root}", file=sys.stderr)
        return super().invoke(ctx)


def is_given(ctx: Any, name: str) -> bool:
    """Whether the user gave a parameter of the command."""
    return ctx.get_parameter_source(name).name != "DEFAULT"


def checkout(folder: Path) -> Path | None:
    """The nearest folder with MARKS, from this one up; None if there is none."""
    return next((at for at in (folder, *folder.parents) if all((at / name).is_file() for name in MARKS)), None)


def seen_from(folder: Path, value: Any, may_name_file: bool) -> Any:
    """Resolve a path, or a list of them, relative to `folder`; return anything else unchanged.

    Args:
        may_name_file: whether a string is a path if there is such a file.
    """
    if isinstance(value, list):
        return [seen_from(folder, item, may_name_file) for item in value]
    if isinstance(value, Path) or (may_name_file and (folder / value).is_file()):
        return type(value)(folder / value)
    return value
