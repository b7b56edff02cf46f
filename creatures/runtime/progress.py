"""Progress of long loops: a bar on a terminal, an occasional line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

EVERY_S = 15.0

T = TypeVar("T")


def track(items: Iterable[T], count: int, what: str) -> Iterator[T]:
    """Iterate over `items` and report on stderr how many of `count` are done."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track as bar

        yield from bar(items, what, total=count, console=Console(stderr=True))
        return
    reported = time.monotonic()
    for number, item in enumerate(items, 1):
        yield item
        if time.monotonic() - reported > EVERY_S:
            reported = time.monotonic()
            print(f"{what}: {number:,} of {count:,}", file=sys.stderr, flush=True)
