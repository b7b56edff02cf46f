"""What a source is given beside its own params."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stages.scrape.web.params import WebParams


@dataclass(frozen=True)
class Site:
    """Where a source works.

    Attributes:
        out: pictures go below its `files/`, licence texts beside that.
        web: how to ask servers.
        store: what was fetched before, outside the stage's outputs.
    """

    out: Path
    web: WebParams
    store: Path
