"""The `evaluate` section of params.yaml."""

from __future__ import annotations

from pydantic import Field

from creatures.runtime.config import Section


class EvaluateParams(Section):
    samples: int = Field(ge=16, description="pictures drawn from each generator")
    reference: int = Field(ge=16, description="at most so many real pictures a split, spread over it")
