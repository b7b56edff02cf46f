"""Names of species: `python -m stages.names`, run by DVC."""

from __future__ import annotations

import json
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from creatures.artifacts import SPECIES_NAMES
from creatures.npm import Unreachable, pack
from creatures.runtime.atomic import atomic_file
from creatures.runtime.errors import UserError
from stages.harness.stage import Stage, run
from stages.names.params import NamesParams

LATER = "species have no names; when there is a connection, dvc repro -f -s names fetches them"


def main(stage: Stage) -> None:
    _, p = stage.params(NamesParams)
    try:
        names = fetch_names(p) if p.package else []
        by_number = {str(number): name for number, name in enumerate(names, 1)}
    except Unreachable as error:  # no training depends on names
        print(f"names: {error}; {LATER}", file=sys.stderr, flush=True)
        by_number = {"": f"{error}; {LATER}"}  # for `python -m app serve`, which says so again
    with atomic_file(SPECIES_NAMES) as part:
        part.write_text(json.dumps(by_number, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def fetch_names(p: NamesParams) -> list[str]:
    """Fetch the list of names in the package.

    Raises:
        UserError: it cannot be fetched, or has no such list.
    """
    package = f"{p.package}@{p.version}"
    with TemporaryDirectory() as folder:
        try:
            with tarfile.open(pack(package, Path(folder)), "r:gz") as tar:
                file = tar.extractfile(f"package/{p.file}")
                names = json.load(file) if file else None
        except (tarfile.TarError, EOFError, OSError, KeyError, ValueError):
            names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError(f"{package} has no list of names {p.file}")
    return names


if __name__ == "__main__":
    run("names", main)
