"""The `scrape` section of params.yaml."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PlainValidator, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from creatures.artifacts import RAW
from creatures.runtime.config import Section
from stages.scrape.npm import NpmParams
from stages.scrape.site import SourceParams
from stages.scrape.sources import SOURCES
from stages.scrape.web.params import WebParams

LOCAL = ("path", "metadata", "labels")  # keys of sources that name a file or folder of this machine


def _entry(values: Any) -> SourceParams:
    """Parse an entry of the list with the params model of the source that its `from` names."""
    if isinstance(values, SourceParams):
        return values
    if not isinstance(values, dict):
        raise ValueError("must be a mapping, such as {from: folder}")
    kind = values.get("from")
    if kind not in SOURCES:
        raise _wrong(["from"], kind, f"must be one of {', '.join(sorted(SOURCES))}")
    model, _ = SOURCES[kind]
    keys = {field.alias or name for name, field in model.model_fields.items()}
    for key in sorted(map(str, values.keys() - keys)):
        raise _wrong([key], values.get(key), f"{kind} has no such key, only {', '.join(sorted(keys - {'from'}))}")
    return model.model_validate(values)


def _wrong(place: list[str | int], value: Any, message: str) -> ValidationError:
    # raised in a validator: pydantic puts the validated value's location before this one
    error = PydanticCustomError("source", "{message}", {"message": message})
    return ValidationError.from_exception_data("", [InitErrorDetails(type=error, loc=tuple(place), input=value)])


def _folder_of(path: str) -> str:
    """The path itself if it is a folder, else the folder that it is in."""
    return path if os.path.isdir(path) else os.path.dirname(os.path.abspath(path))


class ScrapeParams(Section):
    own: str = Field("data/own", min_length=1, description="what sources read from this machine lies below it")
    sources: list[Annotated[SourceParams, PlainValidator(_entry)]] = Field(
        [NpmParams.model_validate({"from": "npm"})],
        min_length=1,
        description="each with `from:` and its own keys (docs/SOURCES.md)",
    )
    web: WebParams = WebParams()

    @field_validator("own")
    @classmethod
    def _apart_from_raw(cls, own: str) -> str:
        above, raw = Path(os.path.realpath(own)), Path(os.path.realpath(RAW))
        if raw.is_relative_to(above):
            raise ValueError(f"holds {RAW}, which this stage writes; name a folder beside it")
        if above.is_relative_to(raw):
            raise ValueError(f"lies in {RAW}, which this stage writes; name a folder beside it")
        return own

    @model_validator(mode="after")
    def _below_own(self) -> ScrapeParams:
        """Paths must lie below `own`, the only folder that DVC watches: a change elsewhere would rerun nothing."""
        above, real = os.path.abspath(self.own), os.path.realpath(_folder_of(self.own))
        for number, entry in enumerate(self.sources):
            for key, path in self._paths(entry).items():
                seen = Path(os.path.abspath(path)).is_relative_to(above)
                # DVC follows no links to folders
                if not seen or not Path(os.path.realpath(_folder_of(path))).is_relative_to(real):
                    message = (
                        f"lies outside of {self.own}, where DVC sees no change; set scrape.own to a folder above it"
                    )
                    raise _wrong(["sources", number, key], getattr(entry, key), message)
        return self

    def _paths(self, entry: SourceParams) -> dict[str, str]:
        """The local paths of an entry, which are relative to `own`, as seen from the checkout."""
        paths = {key: getattr(entry, "table" if key == "labels" else key, "") for key in LOCAL}
        return {key: str(Path(self.own) / path) for key, path in paths.items() if path}

    def placed(self) -> list[SourceParams]:
        """The entries, with paths as seen from the checkout."""
        return [entry.model_copy(update=self._paths(entry)) for entry in self.sources]
