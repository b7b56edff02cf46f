"""Inputs of a source: its own params, and where it reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from creatures.runtime.config import Section
from stages.scrape.web.params import WebParams


class SourceParams(Section):
    """Keys of every entry of `scrape.sources`, in addition to its source's own."""

    kind: str = Field("", alias="from", description="the source's name")
    label: str = Field("", description="of all of its pictures, instead of the source's own labels")
    licence: str = Field("", description="a note for all of its pictures, instead of what the source says")
    most: int = Field(0, ge=0, description="at most so many pictures; 0: all")


@dataclass(frozen=True)
class Site:
    """Where a source reads and writes.

    Attributes:
        out: pictures go below its `files/`, licence texts beside that.
        web: how servers are queried.
        store: what was fetched before, outside the stage's outputs.
    """

    out: Path
    web: WebParams
    store: Path
