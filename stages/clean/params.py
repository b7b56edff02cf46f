"""The `clean` section of params.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from creatures.decoding.foreground import ENLARGE
from creatures.runtime.config import Section, one_of
from stages.clean.upright import TESTS


class CleanParams(Section):
    frames_per_gif: Annotated[int, Field(ge=1)] | Literal["all"] = 2
    background: str = Field(
        "#ffffff", pattern=r"^(auto|#[0-9a-fA-F]{6})$", description="behind transparent pictures; auto: white or black"
    )
    solid: Literal["keep", "replace"] = Field(
        "keep", description="solid backgrounds of other colours; replace: cut away, the figure put on `background`"
    )
    margin: float = Field(0.05, ge=0, le=0.4, description="free on each side, of the picture's side")
    enlarge: Annotated[str, one_of(ENLARGE)] = "smooth"
    min_px: int = Field(16, ge=1, description="longer side of the smallest foreground that is kept")
    near_hash: int = Field(4, ge=0, le=16, description="bits of 64")
    near_colour: float = Field(3.0, ge=0, le=255, description="mean difference at 16 x 16; 0 keeps all near copies")
    recolours: Literal["keep", "drop"] = "keep"
    upright: list[Annotated[str, one_of(TESTS)]] = Field([], description="drops what fails one of these tests")
    outliers: float = Field(
        0.0, ge=0, allow_inf_nan=False, description="median absolute deviations, as a normal one's; 0: none is dropped"
    )
    shards_past: int = Field(
        1_000_000, ge=0, description="pictures; more are kept in WebDataset shards instead of one file"
    )
    shards_to: str = Field(
        "", pattern=r"^(s3://.+)?$", description="S3 address where shards, if any, are kept instead of in data/clean"
    )
    val_share: float = Field(0.1, ge=0, lt=1)
    test_share: float = Field(0.1, ge=0, lt=1)
