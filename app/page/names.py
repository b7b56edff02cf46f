"""Names of species."""

from __future__ import annotations

import json
import sys

from creatures.artifacts import SPECIES_NAMES
from creatures.data.loading import reading
from creatures.runtime.errors import UserError


def load_names() -> dict[str, str]:
    """Names by the label of their species, as the stage `names` wrote them; empty if it has not run.

    If it could not fetch them, or its file is damaged, a line on stderr says what to do.
    """
    if not SPECIES_NAMES.exists():
        return {}
    try:
        with reading(SPECIES_NAMES, "run dvc repro -f -s names"):
            names = json.loads(SPECIES_NAMES.read_text(encoding="utf-8"))
            if not all(isinstance(text, str) for text in {**names}.values()):
                raise ValueError("not a name for each species")
    except UserError as error:
        print(f"names: {error}", file=sys.stderr)
        return {}
    if reason := names.pop("", ""):
        print(f"names: {reason}", file=sys.stderr)
    return names
