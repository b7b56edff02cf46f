"""The `names` section of params.yaml."""

from __future__ import annotations

from pydantic import Field

from creatures.npm import PACKAGE, VERSION
from creatures.runtime.config import Section


class NamesParams(Section):
    package: str = Field(pattern=f"^({PACKAGE})?$", description="of npm; empty: species have no names")
    version: str = Field(pattern=f"^{VERSION}$", description="exact, not a range")
    file: str = Field(min_length=1, description="JSON in the package: a list, the name of species 1 first")
