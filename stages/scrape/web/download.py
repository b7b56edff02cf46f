"""Pictures by their addresses: asked for once, politely, and never lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stages.scrape.manifest import Row

if TYPE_CHECKING:
    from stages.scrape.web.params import WebParams


@dataclass(frozen=True)
class Wanted:
    """A picture to fetch; `source` is also the folder that it comes into."""

    url: str
    label: str = ""
    licence: str = "unknown"
    source: str = "urls"


def download(wanted: Iterable[Wanted], out: Path, params: WebParams, store: Path) -> list[Row]:
    """Fetch pictures into `out/files/<source>/<label>/<16 hex of the address's SHA-256>.<suffix>`.

    Args:
        wanted: any number; an address that comes again is a failed row.
        out: the folder that the stage writes into.
        store: a folder outside the outputs, the same in every run: what was fetched, so that
            a run that was ended begins where it was. See `finish`.

    Returns:
        A row for each of `wanted`, in their order; none of them raises.
    """
    raise NotImplementedError


def finish(store: Path) -> None:
    """To be called once the outputs are in place: the next run asks servers what has changed."""
    raise NotImplementedError
