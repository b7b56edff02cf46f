"""The `pix2pix` section of params.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from creatures.adversarial.losses import LOSSES
from creatures.nets.common.parts import NORMS
from creatures.runtime.config import Section, StartName, one_of
from creatures.training.augment import AUGMENTATIONS
from creatures.training.schedules import SCHEDULES
from creatures.translation.patchgan import FIELDS
from creatures.translation.unet import NOISES

NO_PAIRS = "data/none"


class Pix2pixParams(Section):
    start: StartName = Field(description="none, or the folder of models/ to start from")
    pairs: str = Field(min_length=1, description="folder of pairs A and B to learn from instead; data/none: none")
    outline: Literal["canny", "sketch", "mixed"] = Field(description="what is coloured")
    by_hand: float = Field(ge=0, le=1, description="how far outlines are varied while training, as if drawn by hand")
    noise: Annotated[str, one_of(NOISES)] = Field(description="of the generator, while training and after")
    palette: int = Field(ge=0, le=16, description="colours of the foreground that condition the generator; 0: none")
    palette_drop: float = Field(ge=0, le=1, description="fraction of pictures whose palette is left out in training")
    hints: bool = Field(description="whether colours that a user puts somewhere condition the generator")
    hint_drop: float = Field(ge=0, le=1, description="fraction of pictures without hints in training")
    choice: float = Field(ge=0, description="weight of the cross-entropy of the palette's colours, with hints")
    width: int = Field(ge=4, description="the U-Net's channels at half of the resolution")
    field_px: int = Field(description=f"side of the discriminator's patches: {', '.join(map(str, FIELDS))}")
    discriminator_width: int = Field(ge=4, description="channels of its first layer")
    discriminator_norm: Annotated[str, one_of(NORMS)]
    loss: Annotated[str, one_of(LOSSES)]
    lambda_l1: float = Field(ge=0, description="weight of L1 beside the adversarial loss")
    lambda_hinted: float = Field(ge=0, description="weight that is added to it in regions with hints")
    perceptual: float = Field(ge=0, description="weight of the perceptual loss beside it")
    r1_gamma: float = Field(ge=0, description="weight of the penalty at real pictures")
    double: float = Field(ge=0, le=1, description="fraction of steps with a quarter of the pictures, at twice the size")
    augment: list[Annotated[str, one_of(AUGMENTATIONS)]] = Field(description="of outline and picture together")
    kimg: float = Field(gt=0, description="thousands of pictures to train on")
    batch: int = Field(ge=2, description="pictures in a step")
    accumulate: int = Field(ge=1, description="micro-batches that a batch is split into, where memory is short")
    lr: float = Field(gt=0, description="of the generator")
    d_lr: float = Field(gt=0, description="of the discriminator")
    betas: list[Annotated[float, Field(ge=0, lt=1)]] = Field(min_length=2, max_length=2, description="of Adam")
    schedule: Annotated[str, one_of(SCHEDULES)]
    ema: float = Field(ge=0, lt=1, description="decay per step of the moving average of weights, which is kept")
    frames: int = Field(ge=2, description="sheets of drawings by hand in the GIF of training")
    snapshots: int = Field(ge=0, description="scored on val in the second half; the best is kept; 0: the last")

    @field_validator("field_px")
    @classmethod
    def _field(cls, value: int) -> int:
        if value not in FIELDS:
            raise ValueError(f"must be one of {', '.join(map(str, FIELDS))}")
        return value

    @property
    def penalties(self) -> dict[str, float]:
        """Names and weights of the penalties that are not 0."""
        weights = {"gp": LOSSES[self.loss].gp, "r1": self.r1_gamma}
        return {name: weight for name, weight in weights.items() if weight}

    @model_validator(mode="after")
    def _possible(self) -> Pix2pixParams:
        if self.penalties and self.discriminator_norm == "batch":
            raise ValueError("penalties need discriminator_norm none or spectral: they are of single pictures")
        if self.pairs != NO_PAIRS and self.hints:
            raise ValueError("hints are of outlines: set hints to false for pairs")
        if self.pairs != NO_PAIRS and self.double:
            raise ValueError("only outlines are traced at twice the size: set double to 0 for pairs")
        if "colour" in self.augment:
            raise ValueError("augment colour would change outlines: leave it out")
        return self
