"""The `gan` section of params.yaml."""

from __future__ import annotations

import inspect
from typing import Annotated, Literal

from pydantic import Field, model_validator

from creatures.adversarial.losses import LOSSES
from creatures.nets.common.parts import ACTIVATIONS, NORMS, WEIGHT_INITS
from creatures.nets.discriminators.registry import DISCRIMINATORS
from creatures.nets.generators.registry import GENERATORS
from creatures.runtime.config import Section, StartName, one_of
from creatures.training.augment import AUGMENTATIONS, OF_PICTURES
from creatures.training.schedules import SCHEDULES, AdaptiveP


def takes(net: type, argument: str) -> bool:
    """Whether a network's constructor has an argument of that name."""
    return argument in inspect.signature(net).parameters


class GeneratorParams(Section):
    name: Annotated[str, one_of(GENERATORS)]
    width: int = Field(ge=4, description="channels at full resolution")
    z_dim: int = Field(ge=1, description="for latent: normal")
    activation: Annotated[str, one_of(ACTIVATIONS)]
    dropout: float = Field(ge=0, lt=1, description="after the first map")
    first_px: int = Field(description="dcgan: side of the first map, 4 or 8")
    kernel_size: int = Field(ge=4, le=5, description="dcgan: side of the convolutions")

    @model_validator(mode="after")
    def _possible(self) -> GeneratorParams:
        if self.name != "dcgan" and (self.first_px, self.kernel_size) != (4, 4):
            raise ValueError("first_px and kernel_size other than 4 need name dcgan")
        if self.first_px not in (4, 8):
            raise ValueError("first_px must be 4 or 8")
        return self


class DiscriminatorParams(Section):
    name: Annotated[str, one_of(DISCRIMINATORS)]
    width: int = Field(ge=4, description="channels; projected: after mixing, of maps up to 16 x 16")
    norm: Annotated[str, one_of(NORMS)] = Field(description="dcgan, resnet")
    upscale: int = Field(ge=1, le=8, description="projected: pictures are enlarged so many times first")
    attention_px: int = Field(ge=0, description="side of the map with self-attention; 0: none")

    @model_validator(mode="after")
    def _possible(self) -> DiscriminatorParams:
        if self.attention_px and not takes(DISCRIMINATORS[self.name], "attention_px"):
            raise ValueError(f"{self.name} knows no attention_px")
        return self


class PenaltyParams(Section):
    gp: float = Field(ge=0, description="gradient penalty; with loss wgan-gp 10 in place of 0")
    r1: float = Field(ge=0, description="gradient at real pictures")
    r2: float = Field(ge=0, description="gradient at fake pictures")
    every: int = Field(ge=1, description="gp, r1 and r2 lazily: every so many steps, so many times as strong")
    lecam: float = Field(ge=0, description="LeCam's, against an overfitting discriminator")
    mesh: float = Field(ge=0, description="of the generator: more power at periods of 2 and 4 pixels than real ones")
    spectrum: float = Field(ge=0, description="of the generator: more power in any band of frequencies than real ones")
    mmd: float = Field(ge=0, description="of the generator: distance in distribution from real pictures; projected")
    pieces: float = Field(ge=0, description="of the generator: creatures in pieces")
    colours: float = Field(ge=0, description="of the generator: colours in other amounts than in real pictures")


class AugmentParams(Section):
    ops: list[Annotated[str, one_of(AUGMENTATIONS)]] = Field(description="of all that the discriminator sees")
    p: float = Field(ge=0, le=1, description="probability of each; with a target, at the start")
    target: float = Field(ge=0, lt=1, description="E[sign D(real)] that p is steered to; 0: p is fixed")
    kimg: float = Field(gt=0, description="in which a steered p can go from 0 to 1")
    real_ops: list[Annotated[str, one_of(OF_PICTURES)]] = Field(description="of real pictures alone: one or none")

    @model_validator(mode="after")
    def _possible(self) -> AugmentParams:
        if self.target and self.p > AdaptiveP.MOST:
            raise ValueError(f"with a target, p is where it starts: at most {AdaptiveP.MOST}")
        return self


class HandoverParams(Section):
    d_warmup_kimg: float = Field(ge=0, description="the discriminator learns alone first")
    g_warmup_kimg: float = Field(ge=0, description="then the generator's learning rate rises to lr")
    anchor: float = Field(ge=0, description="weight of the distance to what pretraining drew; 0: no anchor")
    anchor_px: int = Field(ge=1, description="measured on pictures downsampled to this side")
    anchor_kimg: float = Field(ge=0, description="in which its weight fades to 0; 0: it stays")
    blur: float = Field(ge=0, description="standard deviation, in pixels, of a blur on all that the discriminator sees")
    blur_kimg: float = Field(ge=0, description="in which it fades to 0")

    @model_validator(mode="after")
    def _possible(self) -> HandoverParams:
        if bool(self.blur) != bool(self.blur_kimg):
            raise ValueError("blur and blur_kimg are both 0 or both more")
        return self


class GanParams(Section):
    start: StartName = Field(description="none, or the folder of models/ to start from")
    init: Literal["pretrained", "random"] = Field(description="where the generator starts")
    latent: Literal["gmm", "normal"] = Field(description="what z is drawn from")
    condition: Literal["none", "species", "component", "embedding"] = Field(
        description="what the discriminator is conditioned on"
    )
    balance: bool = Field(description="classes drawn evenly in training")
    generator: GeneratorParams = Field(description="built for init: random")
    discriminator: DiscriminatorParams
    weight_init: Annotated[str, one_of(WEIGHT_INITS)] = Field(description="of new networks; default: torch's")
    msg: bool = Field(description="multi-scale gradients")
    loss: Annotated[str, one_of(LOSSES)]
    penalties: PenaltyParams
    augment: AugmentParams
    kimg: float = Field(gt=0, description="thousands of pictures to train on")
    batch: int = Field(ge=2, description="pictures in a step")
    accumulate: int = Field(ge=1, description="micro-batches that a batch is split into, where memory is short")
    n_critic: int = Field(ge=1, description="discriminator steps for each of the generator's")
    lr: float = Field(gt=0, description="of the generator")
    d_lr: float = Field(gt=0, description="of the discriminator")
    betas: list[Annotated[float, Field(ge=0, lt=1)]] = Field(min_length=2, max_length=2, description="of Adam")
    schedule: Annotated[str, one_of(SCHEDULES)] = Field(description="of both learning rates")
    ema: float = Field(ge=0, lt=1, description="decay per step of the moving average of weights, which is kept")
    handover: HandoverParams
    frames: int = Field(ge=2, description="sample grids in the GIF of training")
    snapshots: int = Field(ge=0, description="scored on val (train too if it is small) in the second half; 0: the last")
    snapshot_samples: int = Field(ge=16, description="drawn for each score")

    @property
    def gradient_penalties(self) -> dict[str, float]:
        """Names and weights of the gradient penalties that are not 0."""
        p = self.penalties
        weights = {"gp": p.gp or LOSSES[self.loss].gp, "r1": p.r1, "r2": p.r2}
        return {name: weight for name, weight in weights.items() if weight}

    @model_validator(mode="after")
    def _possible(self) -> GanParams:
        loss, net_d, name_d = LOSSES[self.loss], DISCRIMINATORS[self.discriminator.name], self.discriminator.name
        if self.init == "pretrained" and self.latent == "normal":
            raise ValueError("latent normal needs init random: the pretrained generator reads embeddings")
        if self.init == "pretrained" and self.generator.name != "lite":
            raise ValueError(f"generator {self.generator.name} needs init random: the pretrained generator is lite")
        if self.latent == "normal" and self.handover.anchor:
            raise ValueError("handover.anchor needs latent gmm: it holds rebuilds from embeddings; set it to 0")
        if self.handover.anchor and self.accumulate > 1 and self.batch % (2 * self.accumulate):
            raise ValueError("batch must be a multiple of 2 x accumulate: handover.anchor makes half of it rebuilds")
        if (self.condition == "species") == (self.latent == "gmm") and self.condition != "none":
            raise ValueError("condition species needs latent normal, conditions component and embedding latent gmm")
        if self.msg and self.generator.first_px != 4:
            raise ValueError("generator.first_px must be 4 with msg")
        if self.msg and not takes(net_d, "msg"):
            raise ValueError(f"discriminator {name_d} knows no msg")
        if self.condition == "embedding" and not takes(net_d, "embedding_dim"):
            raise ValueError(f"discriminator {name_d} takes no embedding: set condition to none")
        if self.condition != "none" and not takes(net_d, "classes"):
            raise ValueError(f"discriminator {name_d} knows no condition")
        if self.gradient_penalties and takes(net_d, "norm") and self.discriminator.norm == "batch":
            raise ValueError(
                "penalties need discriminator.norm none or spectral: they are of single pictures, not of batches"
            )
        if self.augment.target and not loss.fixed_zero:
            raise ValueError(f"augment.target needs a loss whose logits have a fixed zero, not {self.loss}")
        if self.condition in ("species", "component") and loss.paired:
            raise ValueError(f"{self.loss} pairs pictures of different classes: set condition to none or embedding")
        if self.handover.d_warmup_kimg + self.handover.g_warmup_kimg >= self.kimg:
            raise ValueError("handover.d_warmup_kimg + handover.g_warmup_kimg must be less than kimg")
        return self
