"""What species are called."""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path("data/names.json")


def load_names() -> dict[str, str]:
    """Names by the label of their species, as the stage `names` wrote them; none if it has not run."""
    try:
        return json.loads(FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
