"""The `gan` section of params.yaml."""

from __future__ import annotations

import inspect
from typing import Annotated, Literal

from pydantic import Field, model_validator

from creatures.adversarial.losses import LOSSES
from creatures.nets.common.parts import ACTIVATIONS, INITIAL, NORMS
from creatures.nets.discriminators.registry import DISCRIMINATORS
from creatures.nets.generators.registry import GENERATORS
from creatures.runtime.config import Section, StartName, one_of
from creatures.training.augment import AUGMENTATIONS, OF_PICTURES
from creatures.training.schedules import SCHEDULES, AdaptiveP


def takes(net: type, knob: str) -> bool:
    """Whether a network's class has an argument of that name."""
    return knob in inspect.signature(net).parameters


class GanParams(Section):
    start: StartName = Field(description="none, or the folder of models/ to start from")
    init: Literal["pretrained", "random"] = Field(description="where the generator starts")
    latent: Literal["gmm", "normal"] = Field(description="what z is drawn from")
    condition: Literal["none", "species", "component", "embedding"] = Field(
        description="what the discriminator is told"
    )
    generator: Annotated[str, one_of(GENERATORS)] = Field(description="built for init: random")
    generator_width: int = Field(ge=4)
    z_dim: int = Field(ge=1, description="for latent: normal with init: random")
    activation: Annotated[str, one_of(ACTIVATIONS)] = Field(description="of the generator")
    dropout: float = Field(ge=0, lt=1, description="after the generator's first map")
    first_px: int = Field(description="side of generator dcgan's first map: 4 or 8")
    kernel: int = Field(ge=4, le=5, description="side of generator dcgan's convolutions")
    initial: Annotated[str, one_of(INITIAL)] = Field(description="initial weights; default: torch's")
    discriminator: Annotated[str, one_of(DISCRIMINATORS)]
    discriminator_width: int = Field(ge=4)
    discriminator_norm: Annotated[str, one_of(NORMS)] = Field(description="of discriminators dcgan and resnet")
    discriminator_enlarge: int = Field(ge=1, le=8, description="projected: looks at pictures so many times larger")
    attention_px: int = Field(ge=0, description="side of the discriminator's map with self-attention; 0: none")
    msg: bool = Field(description="multi-scale gradients")
    loss: Annotated[str, one_of(LOSSES)]
    gp: float = Field(ge=0, description="weight of the gradient penalty; 0: none, but 10 with wgan-gp")
    r1_gamma: float = Field(ge=0, description="weight of the penalty at real pictures")
    r2_gamma: float = Field(ge=0, description="weight of the penalty at fake pictures")
    lecam: float = Field(ge=0, description="weight of LeCam's penalty, against an overfitting discriminator")
    penalty_every: int = Field(ge=1, description="gp, r1 and r2 lazily: every so many steps, so many times as strong")
    mesh: float = Field(
        ge=0, description="weight of the penalty on more power at periods of 2 and 4 pixels than real ones have"
    )
    pieces: float = Field(ge=0, description="weight of the penalty on figures in pieces, where real ones are not")
    n_critic: int = Field(ge=1, description="discriminator steps for each of the generator's")
    augment: list[Annotated[str, one_of(AUGMENTATIONS)]] = Field(description="of all that the discriminator sees")
    augment_p: float = Field(ge=0, le=1, description="probability of each; with a target, at the start")
    augment_target: float = Field(ge=0, lt=1, description="E[sign D(real)] that p is steered to; 0: p is fixed")
    augment_kimg: float = Field(gt=0, description="in which an adaptive p can go from 0 to 1")
    augment_pictures: list[Annotated[str, one_of(OF_PICTURES)]] = Field(description="of real ones alone: one or none")
    kimg: float = Field(gt=0, description="thousands of pictures to train on")
    batch: int = Field(ge=2)
    accumulate: int = Field(ge=1, description="parts that a batch is split into, against lack of memory")
    lr: float = Field(gt=0, description="of the generator")
    d_lr: float = Field(gt=0, description="of the discriminator")
    betas: list[Annotated[float, Field(ge=0, lt=1)]] = Field(min_length=2, max_length=2)
    schedule: Annotated[str, one_of(SCHEDULES)] = Field(description="of both learning rates")
    alone_kimg: float = Field(ge=0, description="the discriminator learns alone first")
    ramp_kimg: float = Field(ge=0, description="then the generator's rate rises to lr")
    anchor: float = Field(ge=0, description="weight of the distance to what pretraining drew; 0: no anchor")
    anchor_px: int = Field(ge=1, description="measured on pictures shrunk to this side")
    anchor_kimg: float = Field(ge=0, description="in which its weight fades to 0; 0: it stays")
    blur: float = Field(ge=0, description="deviation, in pixels, of a blur on all that the discriminator sees")
    blur_kimg: float = Field(ge=0, description="in which it fades to 0")
    ema: float = Field(ge=0, lt=1)
    frames: int = Field(ge=2, description="sample grids in the GIF of training")
    snapshots: int = Field(ge=0, description="scored on val in the second half; the best is kept; 0: the last")
    snapshot_samples: int = Field(ge=16, description="drawn for each score")

    @property
    def penalties(self) -> dict[str, float]:
        """Names and weights of those that are not 0."""
        weights = {"gp": self.gp or LOSSES[self.loss].gp, "r1": self.r1_gamma, "r2": self.r2_gamma}
        return {name: weight for name, weight in weights.items() if weight}

    @model_validator(mode="after")
    def _possible(self) -> GanParams:
        discriminator = DISCRIMINATORS[self.discriminator]
        if self.init == "pretrained" and self.latent == "normal":
            raise ValueError("latent normal needs init random: the pretrained generator reads embeddings")
        if self.init == "pretrained" and self.generator != "lite":
            raise ValueError(f"generator {self.generator} needs init random: the pretrained generator is lite")
        if self.latent == "normal" and self.anchor:
            raise ValueError("anchor needs latent gmm: it holds rebuilds from embeddings; set it to 0")
        if (self.condition == "species") == (self.latent == "gmm") and self.condition != "none":
            raise ValueError("condition species needs latent normal, conditions component and embedding latent gmm")
        if self.generator != "dcgan" and (self.first_px, self.kernel) != (4, 4):
            raise ValueError("first_px and kernel other than 4 need generator dcgan")
        if self.first_px not in (4, 8) or (self.msg and self.first_px != 4):
            raise ValueError("first_px must be 4 or 8, and 4 with msg")
        for knob, value in (("msg", self.msg), ("attention_px", self.attention_px)):
            if value and not takes(discriminator, knob):
                raise ValueError(f"discriminator {self.discriminator} knows no {knob}")
        if self.condition == "embedding" and not takes(discriminator, "embedding_dim"):
            raise ValueError(f"discriminator {self.discriminator} is told no embedding: set condition to none")
        if self.condition != "none" and not takes(discriminator, "classes"):
            raise ValueError(f"discriminator {self.discriminator} knows no condition")
        if self.penalties and takes(discriminator, "norm") and self.discriminator_norm == "batch":
            raise ValueError(
                "penalties need discriminator_norm none or spectral: they are of single pictures, not of batches"
            )
        if self.augment_target and self.augment_p > AdaptiveP.MOST:
            raise ValueError(f"with augment_target, augment_p is where p starts: at most {AdaptiveP.MOST}")
        if self.augment_target and self.loss in ("wgan", "wgan-gp", "rpgan"):
            raise ValueError(f"augment_target needs a loss whose logits have a fixed zero, not {self.loss}")
        if self.condition != "none" and self.loss == "rpgan":
            raise ValueError("rpgan pairs pictures of different classes: set condition to none")
        if bool(self.blur) != bool(self.blur_kimg):
            raise ValueError("blur and blur_kimg are both 0 or both more")
        if self.alone_kimg + self.ramp_kimg >= self.kimg:
            raise ValueError("alone_kimg + ramp_kimg must be less than kimg")
        return self
