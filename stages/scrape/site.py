"""Inputs of a source: its own params, and where it reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from creatures.runtime.config import Section
from stages.scrape.web.params import WebParams


class SourceParams(Section):
    """Keys of every entry of `scrape.sources`, in addition to its source's own."""

    kind: str = Field("", alias="from", description="the source's name")
    label: str = Field("", description="of all of its pictures, instead of the source's own labels")
    licence: str = Field("", description="a note for all of its pictures, instead of what the source says")
    most: int = Field(0, ge=0, description="at most so many pictures; 0: all")


class LabelledParams(SourceParams):
    """Keys of sources whose pictures may have labels from elsewhere than the source says."""

    by_folder: ClassVar[bool] = False  # whether folders, and tables among the pictures, name labels and splits
    labels: str = Field("auto", min_length=1, description="auto | folder | none, or a table below scrape.own")
    column: str = Field("", description="of that table: where the labels are; '': label, class, species or the like")
    splits: Literal["auto", "none"] = Field("auto", description="auto: folders train, val and test are our splits")
    sheet: str = Field("", pattern=r"^(auto|[1-9]\d*x[1-9]\d*)?$", description="cell of sprite sheets, such as 32x32")

    @property
    def table(self) -> str:
        """The path of the table that `labels` names, "" for none."""
        return "" if self.labels in ("auto", "folder", "none") else self.labels


@dataclass(frozen=True)
class Site:
    """Where a source reads and writes.

    Attributes:
        out: pictures go below its `files/`, licence texts beside that; tables of labels below its `labels/`, for
            `gather`, which removes them.
        web: how servers are queried.
        store: what was fetched before, outside the stage's outputs.
    """

    out: Path
    web: WebParams
    store: Path
