"""The `classifier` section of params.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from creatures.runtime.config import NONE, Section, StartName, one_of
from creatures.training.augment import AUGMENTATIONS


class ClassifierParams(Section):
    start: StartName = Field(description="none, or the folder of models/ to start from")
    task: Literal["species", "rotation"] = Field(description="rotation is chosen by itself where there are no labels")
    backbone: str = Field(description="a timm ResNet")
    pretrained: bool = Field(description="start from timm's hub weights; needs start: none")
    epochs: int = Field(ge=0, description="0, with a start: its network as it is, normalised to these pictures")
    batch: int = Field(ge=2, description="pictures in a step")
    accumulate: int = Field(ge=1, description="micro-batches that a batch is split into, where memory is short")
    lr: float = Field(gt=0, description="peak of the one-cycle schedule")
    weight_decay: float = Field(ge=0, description="of AdamW")
    label_smoothing: float = Field(ge=0, lt=1, description="probability that the target gives to all classes")
    augment: list[Annotated[str, one_of(AUGMENTATIONS)]] = Field(description="of pictures, in training")

    @model_validator(mode="after")
    def _possible(self) -> ClassifierParams:
        if not self.epochs and self.start == NONE:
            raise ValueError("epochs 0 needs a start: there is no network to take as it is")
        if self.pretrained and self.start != NONE:
            raise ValueError("pretrained needs start: none, whose weights would take the place of timm's")
        if self.batch < 2 * self.accumulate:
            raise ValueError("batch must be at least 2 x accumulate: one picture alone cannot be normalised")
        return self
