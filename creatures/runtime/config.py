"""params.yaml as typed, checked models.

Each stage's own model lives in its package (`stages/gan/params.py`), so that a new
option of one stage changes the code of that stage only; what all of them share
is here.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    field_validator,
)
from pydantic_core import CoreSchema, core_schema

from creatures.runtime.errors import UserError
from creatures.runtime.renamed import RENAMED, SECTIONS


class Section(BaseModel):
    """A section of params.yaml: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Common(Section):
    """Parameters that every stage may read."""

    image_px: int = Field(64, ge=16, le=1024, description="side of the square pictures, a power of two")
    seed: int = Field(0, ge=0, lt=2**31, description="seed of everything drawn at random")

    @field_validator("image_px")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            raise ValueError("must be a power of two, such as 64")
        return value


@dataclass(frozen=True)
class one_of:  # noqa: N801, used like a function
    """Validator for a name in a registry; its message lists the allowed names."""

    names: Collection[str]

    def check(self, value: str) -> str:
        if value not in self.names:
            raise ValueError(f"must be one of {', '.join(sorted(self.names))}")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema) | {"enum": sorted(self.names)}


def _below_models(value: str) -> str:
    if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)*", value, re.ASCII):
        raise ValueError("must be none, or a folder of models/, such as released")
    return value


NONE = "none"  # a start: from scratch
StartName = Annotated[str, AfterValidator(_below_models)]


S = TypeVar("S", bound=Section)
NOW = " is called "  # in the message for a renamed key, which comes first


def read_yaml(path: str | Path) -> dict[str, Any]:
    """A YAML 1.2 file as a dictionary. YAML 1.1 would read the number 2e-05 as text."""
    from ruamel.yaml import YAML, YAMLError

    try:
        loaded = YAML(typ="safe").load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {str(error.strerror).lower()}") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(loaded, dict):
        raise UserError(f"{path} must be a mapping of sections")
    return loaded


def lookup(values: dict[str, Any], dotted: str) -> Any:
    """The value at a dotted key of nested dictionaries, None if there is none."""
    value: Any = values
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested dictionaries: values by dotted keys."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}.{key}" if prefix else key
        result |= flat(value, name) if isinstance(value, dict) else {name: value}
    return result


def changed(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of nested dictionaries with other values at dotted keys, such as `discriminator.width`; see `assign`."""
    assign(result := copy.deepcopy(dict(values)), changes)
    return result


def assign(values: MutableMapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Set values in nested dictionaries by dotted key.

    Raises:
        UserError: a section that one belongs to is missing.
    """
    for dotted, value in changes.items():
        *sections, key = dotted.split(".")
        parent: Any = values
        for depth, section in enumerate(sections, 1):
            parent = parent.get(section)
            if not isinstance(parent, dict):
                raise UserError(f"params.yaml: {'.'.join(sections[:depth])} must be a mapping, for {dotted} to be set")
        parent[key] = value


def parse(name: str, values: Any, model: type[S]) -> S:
    """Validate one section.

    Raises:
        UserError: one line that names every wrong key, its value and what is allowed.
    """
    try:
        return model.model_validate({} if values is None else values)
    except ValidationError as error:
        lines = map(_explain(name, model), error.errors())
        raise UserError("params.yaml: " + "; ".join(sorted(lines, key=lambda line: NOW not in line))) from None


def load(section: str, model: type[S], path: str | Path = "params.yaml") -> tuple[Common, S]:
    """The two sections a stage may read: `common` and its own."""
    document = read_yaml(path)
    return parse("common", document.get("common"), Common), parse(section, document.get(section), model)


def _explain(name: str, model: type[Section]) -> Any:
    def line(error: Any) -> str:
        key = ".".join([name, *map(str, error["loc"])])
        if new_key := {"extra_forbidden": RENAMED, "model_type": SECTIONS}.get(error["type"], {}).get(key):
            return f"{key}{NOW}{new_key} now"
        if error["type"] == "missing":
            return f"{key} is missing"
        if error["type"] == "extra_forbidden":
            section, fields = key.rpartition(".")[0], _fields(model, error["loc"][:-1])
            return f"{key} is not a parameter" + (f"; {section} has {', '.join(fields)}" if fields else "")
        message = error["msg"].removeprefix("Value error, ")
        if error["type"] == "value_error" and isinstance(error["input"], dict | Section):
            return f"{key}: {message}"  # a rule over several keys: it names them itself
        return f"{key} is {error['input']!r}: {message[0].lower()}{message[1:]}"

    return line


def _fields(model: Any, keys: Sequence[Any]) -> list[str]:
    """The keys of a section, or of one nested in it."""
    for key in keys:
        field = getattr(model, "model_fields", {}).get(key)
        model = field.annotation if field else None
    return [*getattr(model, "model_fields", {})]
