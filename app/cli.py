"""The command line: what its commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, help="New creatures from the trained models.")


@app.callback()
def commands(
    model: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder of networks to use, such as models/NAME."),
    ] = None,
) -> None:
    """New creatures from the trained models."""
    if model:
        from app.networks import use

        use(model.resolve())


def finish(name: str, write: Callable[[], str | Path | list[Path]]) -> None:
    """Run a command and print the paths it wrote, or end in one line that says what is wrong."""
    from creatures.runtime.errors import UserError
    from creatures.runtime.system import limit_threads

    limit_threads()
    try:
        written = write()
        print(*(written if isinstance(written, list) else [written]), sep="\n")
    except UserError as error:
        sys.exit(f"{name}: {error}")
    except OSError as error:
        sys.exit(f"{name}: {error.filename}: {error.strerror}" if error.filename else f"{name}: {error}")
