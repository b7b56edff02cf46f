"""The `gan` section of params.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from stages.gan.losses import LOSSES
from stages.lib.nets.discriminators import DISCRIMINATORS
from stages.lib.nets.generators import GENERATORS
from stages.lib.params import Section, one_of
from stages.lib.training.augment import AUGMENTATIONS


class GanParams(Section):
    init: Literal["pretrained", "random"] = Field(description="where the generator starts")
    latent: Literal["gmm", "normal"] = Field(description="what z is drawn from")
    generator: Annotated[str, one_of(GENERATORS)] = Field(description="built for init: random")
    generator_width: int = Field(ge=4)
    z_dim: int = Field(ge=1, description="for latent: normal with init: random")
    discriminator: Annotated[str, one_of(DISCRIMINATORS)]
    discriminator_width: int = Field(ge=4)
    loss: Annotated[str, one_of(LOSSES)]
    gp: float = Field(ge=0, description="weight of wgan-gp's penalty")
    n_critic: int = Field(ge=1, description="discriminator steps for each of the generator's")
    augment: list[Annotated[str, one_of(AUGMENTATIONS)]]
    kimg: float = Field(gt=0, description="thousands of pictures to train on")
    batch: int = Field(ge=2)
    lr: float = Field(gt=0, description="of the generator")
    d_lr: float = Field(gt=0, description="of the discriminator")
    betas: list[Annotated[float, Field(ge=0, lt=1)]] = Field(min_length=2, max_length=2)
    alone_kimg: float = Field(ge=0, description="the discriminator learns alone first")
    ramp_kimg: float = Field(ge=0, description="then the generator's rate rises to lr")
    anchor: float = Field(ge=0, description="weight of the rebuilds' distance; fades to 0; 0: no anchor")
    anchor_px: int = Field(ge=1, description="measured on pictures shrunk to this side")
    ema: float = Field(ge=0, lt=1)
    frames: int = Field(ge=2, description="sample grids in the GIF of training")

    @model_validator(mode="after")
    def _possible(self) -> GanParams:
        if self.init == "pretrained" and self.latent == "normal":
            raise ValueError("latent normal needs init random: the pretrained generator reads embeddings")
        if self.init == "pretrained" and self.generator != "lite":
            raise ValueError(f"generator {self.generator} needs init random: the pretrained generator is lite")
        if self.latent == "normal" and self.anchor:
            raise ValueError("anchor needs latent gmm: it holds rebuilds from embeddings; set it to 0")
        if self.alone_kimg + self.ramp_kimg >= self.kimg:
            raise ValueError("alone_kimg + ramp_kimg must be less than kimg")
        return self
