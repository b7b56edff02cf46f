"""The four trainings at their smallest, as a process: `python -m tests.support.trainings FOLDER STEPS [NAME …]`.

Writes FOLDER/histories.json: by training, its losses step by step.
"""

from __future__ import annotations

import copy
import json
import random
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from PIL import Image

from creatures.data.pictures import Pictures
from creatures.latents.mixture import Mixture
from creatures.latents.sampler import Latent
from creatures.nets.encoder.encoder import Encoder
from creatures.runtime.config import changed, parse, read_yaml
from creatures.training import loop
from creatures.training.log import Quiet
from creatures.training.loop import Training
from creatures.training.origin import Origin
from creatures.training.perceptual import PerceptualLoss
from creatures.translation.palette import palettes_of
from stages.classifier import train as classifier
from stages.classifier.params import ClassifierParams
from stages.gan import train as gan
from stages.gan.build import Start, build, new_architecture
from stages.gan.params import GanParams
from stages.pix2pix import train as pix2pix
from stages.pix2pix.outlines import Outlines
from stages.pix2pix.params import Pix2pixParams
from stages.pretrain import train as pretrain
from stages.pretrain.params import PretrainParams
from tests.support.deps import ROOT
from tests.support.drawn_creatures import Kind

PX, DIMS, BATCH, LABELS, COARSE = 32, 8, 8, 4, 3
SLOW = {"lr": 2e-5, "d_lr": 2e-5}  # adversaries blow rounding up, the faster the faster they learn
TRAINED = [label for label in range(LABELS) for _ in range(6)]


def pictures() -> Pictures:
    """Creatures of LABELS kinds, all to train on.

    Not on white: a new ResNet sees of so small a picture little but its corner, and one that is
    the same in all of them would leave BatchNorm nothing but rounding to enlarge.
    """
    drawn, rng = [], random.Random(0)
    for number, label in enumerate(TRAINED):
        creature = Kind(label).draw(random.Random(number), PX)
        page = Image.new("RGBA", (PX, PX), tuple(rng.choices(range(256), k=3)))
        page.alpha_composite(creature)
        drawn.append(np.asarray(page.convert("RGB")).transpose(2, 0, 1))
    index = pa.table({"label": pa.array(TRAINED, pa.int32()), "split": ["train"] * len(TRAINED)})
    return Pictures(np.stack(drawn), index)


def params(section: str, model: Any, steps: int, **changes: Any) -> Any:
    values = changed(read_yaml(ROOT / "params.yaml")[section], {"batch": BATCH, "start": "none"} | changes)
    if section == "classifier":
        values["epochs"] = -(-steps * BATCH // len(TRAINED))
    else:
        values["kimg"] = steps * BATCH / 1000
    return parse(section, values, model)


def maps() -> PerceptualLoss:
    torch.manual_seed(1)
    return PerceptualLoss(Encoder("resnet18").eval().requires_grad_(False), [2, 4])


def embeddings() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((len(TRAINED), DIMS)).astype(np.float32)


def train_classifier(stage: Any, steps: int, origin: Origin | None = None, **changes: Any) -> Training:
    small = {"backbone": "resnet18", "pretrained": False, "lr": 1e-5}
    p = params("classifier", ClassifierParams, steps, **small | changes)
    return classifier.train(stage, p, pictures(), "rotation", 0, origin)[1]


def train_pretrain(stage: Any, steps: int, origin: Origin | None = None, **changes: Any) -> Training:
    small = {"width": 4, "dilated_px": [16], "coarse_px": 8, "coarse_kimg": COARSE * BATCH / 1000}
    p = params("pretrain", PretrainParams, steps - COARSE, **small | changes)
    architecture = {"z_dim": DIMS, "image_px": PX, "width": p.width, "dilated_px": p.dilated_px}
    return pretrain.train(stage, p, architecture, pictures(), embeddings(), maps(), 0, origin)[1]


def train_gan(stage: Any, steps: int, **changes: Any) -> Training:
    small = {
        "generator.width": 4,
        "discriminator.width": 8,
        "frames": 2,
        "handover.d_warmup_kimg": 0.0,
        "handover.g_warmup_kimg": 0.0,
    } | SLOW
    p = params("gan", GanParams, steps, **small | changes)
    mixture = Mixture(np.full(2, 0.5), np.zeros((2, DIMS)), np.stack([np.eye(DIMS)] * 2), np.zeros(DIMS), np.eye(DIMS))
    probs = np.full(LABELS, 1 / LABELS)
    latent = Latent(DIMS, mixture) if p.latent == "gmm" else Latent(DIMS, None, probs)
    architecture = new_architecture(p, latent.length, PX)
    nets = build(p, architecture, None, latent.classes if p.condition == "species" else 0, 0)
    condition = embeddings() if p.latent == "gmm" else np.array(TRAINED)
    start = Start(*nets, architecture, latent, embeddings() if p.latent == "gmm" else None, condition)
    return gan.train(stage, p, start, pictures(), 0, lambda *_: None, None)[1]


def train_pix2pix(stage: Any, steps: int, origin: Origin | None = None, **changes: Any) -> Training:
    small = {"width": 4, "discriminator_width": 4, "field_px": 16, "palette": 4, "frames": 2, "augment": ["flip"]}
    batchwise = {"discriminator_norm": "batch", "r1_gamma": 0.0}
    p, found = params("pix2pix", Pix2pixParams, steps, **small | batchwise | SLOW | changes), pictures()
    outlines = Outlines({"canny": np.where(found.images.mean(1) < 128, 0, 255).astype(np.uint8)})
    palettes = palettes_of(found.images, p.palette)
    return pix2pix.train(stage, p, found, outlines, palettes, 0, lambda *_: None, maps(), None, origin)[1]


# the default recipe but for its loss: the hinge's gradient of a last bias is 0 but for rounding while no pair is
# told apart, and Adam makes whole steps of it; and for the weight of a penalty that is strong while the banks are small
USUAL: dict[str, Any] = {"init": "pretrained", "handover.anchor": 1.0, "discriminator.upscale": 1, "loss": "bce"}
USUAL |= {"penalties.mmd": 1.0}
# what the default recipe has not: penalties, soft labels, dropout, all that looks at a whole batch
OTHER: dict[str, Any] = {
    "init": "random",
    "latent": "normal",
    "condition": "species",
    "generator.name": "dcgan",
    "generator.dropout": 0.3,
    "discriminator.name": "sngan",
    "msg": True,
    "loss": "bce-soft",
    "penalties.gp": 1.0,
    "penalties.r1": 0.1,
    "penalties.r2": 0.1,
    "penalties.lecam": 0.1,
    "penalties.colours": 1.0,
    "handover.anchor": 0.0,
    "augment.p": 0.2,
    "augment.target": 0.3,
    "augment.kimg": 1.0,
    "augment.real_ops": ["jitter", "elastic"],
    "handover.blur": 2.0,
    "handover.blur_kimg": 0.2,
}
TRAININGS: dict[str, Callable[[Any, int], Training]] = {
    "classifier": train_classifier,
    "pretrain": train_pretrain,
    "gan": partial(train_gan, **USUAL),
    "gan, other parts": partial(train_gan, **OTHER),
    "pix2pix": train_pix2pix,
}


def main(folder: Path, steps: int, names: list[str]) -> None:
    for module in (classifier, pretrain, gan, pix2pix):
        module.Training = partial(Training, log_every=1)
    loop.Log = lambda *_: Quiet()
    histories = {}
    for number, name in enumerate(names or TRAININGS):
        stage = SimpleNamespace(name=name, checkpoint_dir=folder / f"ckpt{number}", run_dir=folder / f"runs{number}")
        try:
            training = TRAININGS[name](stage, steps)
        except SystemExit:  # the others' end
            continue
        histories[name] = copy.deepcopy(training.history)
        training.discard()
    if histories:
        (folder / "histories.json").write_text(json.dumps(histories))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
