"""The trained networks as ONNX, for programs without torch."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stages.lib.colouring import load_colourer
from stages.lib.params import UserError, read_yaml
from stages.lib.sampling import load_sampler

OUT = Path("models/export")
CHECKED = 3  # another batch than the one that is traced
MOST = 1e-4  # that onnxruntime's pixels, in [-1, 1], may differ from torch's
OPSET = 18
CARDS = {"generator": ("gan", "metrics/evaluate.json"), "pix2pix": ("pix2pix", "metrics/pix2pix.json")}
DATA = """\
Made by this project's `dvc repro` and `python -m app export`. `params.yaml` says of which pictures (`scrape`).
The default ones are of Pokémon, which belong with their pictures to Nintendo, Creatures Inc. and GAME FREAK inc.:
what was learnt from them is for study and fun, not for sale. Whose pictures you trained on says what you may do
with what comes out. The networks know nothing but such pictures, centred on a plain background.""".splitlines()


@dataclass(frozen=True)
class Exported:
    """A network with what its file says of its inputs and output.

    Attributes:
        inputs: by name, for so many pictures.
        about: shapes and ranges by name.
    """

    net: nn.Module
    inputs: Callable[[int], dict[str, Tensor]]
    about: dict[str, str]


def generator() -> Exported:
    """z to pictures."""
    sampler = load_sampler()
    latent, px = sampler.latent, sampler.net.image_px
    drawn_from = "the mixture in models/gmm.npz" if latent.mixture is not None else "N(0, I)"
    return Exported(
        sampler.net,
        lambda count: {"z": torch.from_numpy(latent.draw(count, np.random.default_rng(0))[0])},
        {
            "z": f"float32, batch x {latent.length}, drawn from {drawn_from}",
            "pictures": f"float32, batch x 3 x {px} x {px}, RGB in [-1, 1]",
        },
    )


def pix2pix() -> Exported:
    """Outlines and noise to pictures."""
    colourer = load_colourer()
    net, px = colourer.net, colourer.net.image_px

    def inputs(count: int) -> dict[str, Tensor]:
        draw = torch.Generator().manual_seed(0)
        lines = (torch.rand(count, 1, px, px, generator=draw) > 0.1).float() * 2 - 1
        return {"outlines": lines, "noise": 2 * (torch.rand(count, net.noise_length, generator=draw) < 0.5).float()}

    return Exported(
        net,
        inputs,
        {
            "outlines": f"float32, batch x 1 x {px} x {px}: -1 on lines, 1 elsewhere",
            "noise": f"float32, batch x {net.noise_length}: 0 or 2 with equal chances, or ones for none",
            "pictures": f"float32, batch x 3 x {px} x {px}, RGB in [-1, 1]",
        },
    )


MODELS: dict[str, Callable[[], Exported]] = {"generator": generator, "pix2pix": pix2pix}


def export(names: list[str], out: Path = OUT) -> list[Path]:
    """Write `<name>.onnx` for each of MODELS, and `README.md`; nothing is written that was not checked.

    Raises:
        UserError: a model is missing, or onnxruntime does not draw what torch draws.
    """
    found = {name: MODELS[name]() for name in names}  # before anything is written
    out.mkdir(parents=True, exist_ok=True)
    return [*(write(name, model, out / f"{name}.onnx") for name, model in found.items()), card(found, out)]


def write(name: str, model: Exported, path: Path) -> Path:
    """Write one file, whole or not at all."""
    import onnx

    inputs, batch, partial = model.inputs(2), torch.export.Dim("batch"), path.with_suffix(".partial")
    net = model.net.to(memory_format=torch.contiguous_format).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, of its own code
        torch.onnx.export(
            net,
            tuple(inputs.values()),
            partial,
            input_names=list(inputs),
            output_names=["pictures"],
            dynamic_shapes=tuple({0: batch} for _ in inputs),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    document = onnx.load(partial)
    for key, text in model.about.items():
        document.metadata_props.add(key=key, value=text)
    onnx.checker.check_model(document, full_check=True)
    onnx.save(document, partial)
    apart = difference(partial, net, model.inputs(CHECKED))
    if not apart < MOST:  # nor if it is not a number
        partial.unlink()
        raise UserError(f"{name}: onnxruntime's pictures differ from torch's by {apart:.2g}; nothing was written")
    partial.replace(path)
    return path


@torch.no_grad()
def difference(path: Path, net: nn.Module, inputs: dict[str, Tensor]) -> float:
    """The largest between what onnxruntime and torch draw."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(["pictures"], {name: value.numpy() for name, value in inputs.items()})
    return float(np.abs(found - net(*inputs.values()).numpy()).max())


def card(models: dict[str, Exported], out: Path) -> Path:
    """Write `README.md`, the model card (M. Mitchell et al., 2019): data, parameters, figures, licence."""
    lines = ["# Creature networks", "", *DATA]
    for name, model in models.items():
        section, figures = CARDS[name]
        lines += ["", f"## {name}.onnx", "", *(f"- `{key}`: {text}" for key, text in model.about.items()), ""]
        lines += ["Trained with these parameters:", "", "```json", _json(read_yaml("params.yaml")[section]), "```", ""]
        if Path(figures).exists():
            lines += ["What it does:", "", "```json", _json(json.loads(Path(figures).read_text())), "```"]
    path = out / "README.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _json(values: Any) -> str:
    return json.dumps(values, indent=2)
