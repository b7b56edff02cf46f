"""What people use after training: `python -m app generate`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

# idle OpenMP threads sleep instead of spinning; must be set before torch loads
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

app = typer.Typer(add_completion=False, no_args_is_help=True, help="New creatures from the trained models.")


@app.callback()
def commands() -> None:
    """New creatures from the trained models."""


@app.command()
def generate(
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many pictures.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and count give the same pictures.")] = 0,
    truncation: Annotated[
        float, typer.Option(min=0.0, max=2.0, help="Below 1: more typical and less varied; above: the reverse.")
    ] = 0.8,
    out: Annotated[Path, typer.Option(help="Folder for the PNGs and their grid.")] = Path("samples"),
) -> None:
    """Draw new pictures from models/ and write them, with a grid of all, as PNG."""
    # torch takes seconds to load: only commands that need it do
    from app.generate import write_samples
    from stages.lib.params import UserError

    try:
        grid = write_samples(count, seed, truncation, out)
    except UserError as error:
        sys.exit(f"generate: {error}")
    except OSError as error:
        sys.exit(f"generate: cannot write to {out}: {error.strerror or error}")
    print(f"{count} pictures in {out}, all of them in {grid}")


@app.command()
def recipe(
    name: Annotated[str, typer.Argument(help="A file of recipes/, without its ending; none: list them.")] = "",
) -> None:
    """Print a recipe as flags of `dvc exp run`: dvc exp run -n sngan $(python -m app recipe sngan)."""
    from app.recipe import flags, names
    from stages.lib.params import UserError

    try:
        print(" ".join(flags(name)) if name else "\n".join(names()))
    except UserError as error:
        sys.exit(f"recipe: {error}")


if __name__ == "__main__":
    app(prog_name="python -m app")
