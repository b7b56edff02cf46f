"""Showing how far a long loop is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

EVERY_S = 15.0

T = TypeVar("T")


def track(items: Iterable[T], count: int, what: str) -> Iterator[T]:
    """Give `items` on; say on stderr how many of `count` have been given."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track as bar

        yield from bar(items, what, total=count, console=Console(stderr=True))
        return
    said = time.monotonic()
    for number, item in enumerate(items, 1):
        yield item
        if time.monotonic() - said > EVERY_S:
            said = time.monotonic()
            print(f"{what}: {number:,} of {count:,}", file=sys.stderr, flush=True)
