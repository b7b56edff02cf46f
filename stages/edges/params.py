"""The `edges` section of params.yaml."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from creatures.runtime.config import Section


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class EdgesParams(Section):
    canny: Literal["auto"] | list[int] = Field(description="thresholds of the gradient: auto or [low, high]")
    sketch_level: Literal["auto"] | int = Field(description="greys up to it are foreground: auto or 0-255")
    sketch_epsilon: Literal["auto"] | float = Field(description="deviation of lines: auto or fraction of arc length")

    # plain validators, since an error in a union would name every member of it

    @field_validator("canny", mode="plain")
    @classmethod
    def _canny(cls, value: Any) -> Any:
        pair = isinstance(value, list) and len(value) == 2 and all(map(_is_int, value))
        if value != "auto" and not (pair and 0 <= value[0] <= value[1]):
            raise ValueError("must be auto or whole numbers [low, high] with 0 <= low <= high")
        return value

    @field_validator("sketch_level", mode="plain")
    @classmethod
    def _sketch_level(cls, value: Any) -> Any:
        if value != "auto" and not (_is_int(value) and 0 <= value <= 255):
            raise ValueError("must be auto or a whole number from 0 to 255")
        return value

    @field_validator("sketch_epsilon", mode="plain")
    @classmethod
    def _sketch_epsilon(cls, value: Any) -> Any:
        if value != "auto" and not (isinstance(value, float) and 0 < value < 1):
            raise ValueError("must be auto or a fraction of the arc length, above 0 and below 1")
        return value
