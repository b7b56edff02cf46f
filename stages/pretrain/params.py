"""The `pretrain` section of params.yaml."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from creatures.runtime.config import NONE, Section, StartName, one_of
from stages.pretrain.networks import NETWORKS


class PretrainParams(Section):
    start: StartName = Field(description="none, or the folder of models/ to start from")
    width: int = Field(ge=4, description="generator channels at full resolution")
    smooth_blocks: int = Field(ge=0, description="of the last blocks, how many enlarge maps without a mesh")
    samples: int = Field(ge=1, le=16, description="drawn for each pixel, whose mean it is")
    dilation: int = Field(ge=1, description="rate of the dilated convolutions")
    dilated_px: list[int] = Field(description="resolutions that get one")
    excitation: bool = Field(description="whether coarse maps gate the channels of finer ones")
    perceptual: Annotated[str, one_of(NETWORKS)] = Field(description="the frozen network whose maps are compared")
    strides: list[Literal[2, 4, 8, 16, 32]] = Field(min_length=1, description="of those maps")
    pixel_weight: float = Field(ge=0)
    jitter: float = Field(ge=0, description="deviation of the noise on embeddings, whose own is 1")
    coarse_kimg: float = Field(ge=0, description="thousands of shrunk pictures to train the first blocks on, first")
    coarse_px: int = Field(description="their side")
    kimg: float = Field(ge=0, description="then thousands of whole pictures; 0, with a start: its generator as it is")
    batch: int = Field(ge=2, description="pictures in a step")
    accumulate: int = Field(ge=1, description="micro-batches that a batch is split into, where memory is short")
    lr: float = Field(gt=0, description="at the start of the schedule")
    ema: float = Field(ge=0, lt=1, description="decay per step of the moving average of weights, which is kept")

    @model_validator(mode="after")
    def _possible(self) -> PretrainParams:
        if not self.kimg and (self.start == NONE or self.coarse_kimg):
            raise ValueError("kimg 0 needs a start, and coarse_kimg 0: there is no generator to take as it is")
        return self

    def architecture(self, z_dim: int, image_px: int) -> dict[str, Any]:
        """Arguments of LiteGenerator."""
        names = ("width", "smooth_blocks", "samples", "dilation", "dilated_px", "excitation")
        return {"z_dim": z_dim, "image_px": image_px} | {name: getattr(self, name) for name in names}
