"""Check every section of params.yaml before anything runs: `python -m stages.check`."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from creatures.intake.names import files_below
from creatures.runtime.config import load
from creatures.runtime.errors import UserError
from stages.scrape.params import ScrapeParams


def main() -> None:
    """Print a line for every section with wrong values, and one for a name of a picture at which DVC would stop; end
    with 1 if there are any.
    """
    if not Path("params.yaml").exists():
        return  # DVC says so
    lines: dict[str, None] = {}
    for file in sorted(Path(__file__).parent.glob("*/params.py")):
        section = file.parent.name
        model = getattr(import_module(f"stages.{section}.params"), f"{section.capitalize()}Params")
        try:
            load(section, model)
        except UserError as error:
            lines[str(error)] = None  # those of `common` once
    try:
        _, scrape = load("scrape", ScrapeParams)
        for _ in files_below(Path(scrape.own)):  # which checks their names
            pass
    except UserError as error:
        lines[str(error)] = None
    if lines:
        sys.exit("\n".join(lines))


if __name__ == "__main__":
    main()
