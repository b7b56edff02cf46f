"""Start of a training: latents, conditions and the two networks, from parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from creatures.artifacts import EMBEDDINGS, GENERATOR, MIXTURE, PICTURES, PRETRAINED
from creatures.data.loading import open_array
from creatures.data.pictures import Pictures, species_labels
from creatures.data.provenance import START, ancestors
from creatures.data.weights import load_weights
from creatures.latents.mixture import load_mixture
from creatures.latents.sampler import Latent
from creatures.nets.common.base import Discriminator, Generator
from creatures.nets.common.parts import init_weights
from creatures.nets.discriminators.registry import DISCRIMINATORS
from creatures.nets.generators.lite import LiteGenerator
from creatures.nets.generators.registry import GENERATORS, build_generator
from creatures.nets.generators.widen import widened
from creatures.runtime.config import Common
from creatures.runtime.errors import UserError
from creatures.training.origin import Origin
from stages.gan.classes import component_labels, projected
from stages.gan.params import GanParams, takes

# the entry of `made_from` that a network's condition depends on
READS = {"embedding": "encoder", "component": "mixture", "species": "pictures"}


@dataclass(frozen=True)
class Start:
    """Start of a training.

    Attributes:
        architecture: of the generator.
        embeddings: of all pictures, float32; None without a mixture.
        condition: of the discriminator for every picture: int N, its class, or float32 N x E, its
            embedding; None for an unconditional one.
        made_from: digests of the files that all this was made from, as `ancestors` returns them.
        origin: the earlier run that the networks have weights from, or that is resumed.
    """

    net_g: Generator
    net_d: Discriminator
    architecture: dict[str, Any]
    latent: Latent
    embeddings: np.ndarray | None
    condition: np.ndarray | None
    made_from: dict[str, str] = field(default_factory=dict)
    origin: Origin = field(default_factory=lambda: Origin("gan"))


def prepare(p: GanParams, common: Common, pictures: Pictures, root: Path = Path()) -> Start:
    """Build networks, latents and conditions from what earlier stages, and perhaps an earlier run, left in `root`.

    Raises:
        UserError: an output is missing, or outputs are from different runs.
    """
    uses_mixture, uses_pretrained = p.latent == "gmm", p.init == "pretrained"
    inputs = [PICTURES, *([EMBEDDINGS, MIXTURE] if uses_mixture else []), *([PRETRAINED] if uses_pretrained else [])]
    made_from = ancestors(*(root / path for path in inputs))
    mixture, embeddings, condition, class_probs = None, None, None, None
    if uses_mixture:
        mixture, embeddings = load_mixture(root / MIXTURE), open_array(root / EMBEDDINGS, 2, np.float32)
        if p.condition == "component":
            condition = component_labels(mixture, embeddings)
        elif p.condition == "embedding":
            condition = projected(mixture, embeddings)
    if p.condition == "species":
        condition, class_probs = species_labels(pictures)
    latent = Latent(mixture.embedding_dim if mixture else p.generator.z_dim, mixture, class_probs)
    weights, architecture = None, new_architecture(p, latent.length, common.image_px)
    header: dict[str, Any] = {}
    if uses_pretrained:
        weights, header = load_weights(root / PRETRAINED)
        architecture = header["architecture"]
        if architecture["image_px"] != common.image_px or architecture["z_dim"] != latent.length:
            raise UserError(f"{PRETRAINED} was trained for other pictures or embeddings; run dvc repro")
    architecture["msg"] = p.msg
    classes = latent.classes if p.condition in ("component", "species") else 0
    net_g, net_d = build(p, architecture, weights, classes, common.seed)
    about = {"discriminator": {"name": p.discriminator.name, **knobs_of_discriminator(p, architecture, classes)}}
    origin = Origin("gan", p.start, made_from, {"batch": p.batch}, about, root)
    if origin.restores(net_g=net_g, net_d=net_d):
        # for an anchor that the earlier run did not have
        net_g.load_state_dict(load_weights(origin.folder / GENERATOR.name)[0])
    else:
        reads, remaining = READS.get(p.condition), "as pretrained" if uses_pretrained else "new"
        if uses_pretrained and trained_further(header, origin):
            print(f"gan: starts from {PRETRAINED}, which was trained further from models/{p.start}", flush=True)
            origin.whole.add("gan")
        else:
            adapt = widened if isinstance(net_g, LiteGenerator) else None
            origin.take(net_g, reads="encoder" if uses_mixture else reads, by={"first"}, others=remaining, adapt=adapt)
        origin.take(net_d, "discriminator", reads, {"agreement", "projection"})
    return Start(net_g, net_d, architecture, latent, embeddings, condition, made_from, origin)


def trained_further(header: dict[str, Any], origin: Origin) -> bool:
    """Whether pretraining itself started from the generator of `gan.start` and trained it: its result is the newer one.

    Args:
        header: of the pretrained generator's file.
    """
    lengths = header.get("params") or {}
    trained = bool(lengths.get("kimg") or lengths.get("coarse_kimg"))
    started_from = (header.get("made_from") or {}).get(START)
    return trained and started_from is not None and started_from == origin.mark.get(START)


def new_architecture(p: GanParams, z_dim: int, image_px: int) -> dict[str, Any]:
    """Architecture of a generator that starts from random weights."""
    kwargs = {
        "z_dim": z_dim,
        "image_px": image_px,
        "width": p.generator.width,
        "activation": p.generator.activation,
        "dropout": p.generator.dropout,
        "first_px": p.generator.first_px,
        "kernel": p.generator.kernel_size,
        "msg": p.msg,
    }
    name = p.generator.name
    return {"name": name} | {k: v for k, v in kwargs.items() if takes(GENERATORS[name], k)}


def build(
    p: GanParams, architecture: dict[str, Any], weights: dict[str, Tensor] | None, classes: int, seed: int
) -> tuple[Generator, Discriminator]:
    """Build both networks, in channels-last memory.

    Args:
        architecture: of the generator.
        weights: to start the generator from; None for random ones.
        classes: number of classes that condition the discriminator; 0 for none.
    """
    torch.manual_seed(seed)
    net_g = build_generator(architecture)
    sides = [2**i for i in range(2, 10) if 2**i < architecture["image_px"]]
    attention_px = p.discriminator.attention_px
    if attention_px and attention_px not in sides:
        raise UserError(
            f"gan.discriminator.attention_px is {attention_px}: must be 0 or one of {', '.join(map(str, sides))}"
        )
    net_d = DISCRIMINATORS[p.discriminator.name](**knobs_of_discriminator(p, architecture, classes))
    init_weights(net_d, p.weight_init)
    init_weights(net_g, p.weight_init)
    if weights is not None:  # pretrained weights have no layers for msg's small pictures
        net_g.load_state_dict(weights, strict=not p.msg)
    channels_last = torch.channels_last
    return net_g.to(memory_format=channels_last), net_d.to(memory_format=channels_last)


def knobs_of_discriminator(p: GanParams, architecture: dict[str, Any], classes: int) -> dict[str, Any]:
    """Constructor arguments of the discriminator, for a generator of that architecture."""
    kwargs = {
        "image_px": architecture["image_px"],
        "width": p.discriminator.width,
        "norm": p.discriminator.norm,
        "enlarge": p.discriminator.upscale,
        "attention_px": p.discriminator.attention_px,
        "msg": p.msg,
        "classes": classes,
        "embedding_dim": architecture["z_dim"] if p.condition == "embedding" else 0,
    }
    return {k: v for k, v in kwargs.items() if takes(DISCRIMINATORS[p.discriminator.name], k)}
