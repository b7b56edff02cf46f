"""Export the trained networks as ONNX, for programs without torch."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from app.networks import colourer_file, generator_file, is_own
from app.pictures import replaced
from app.trained import note_changes
from creatures.artifacts import MIXTURE
from creatures.data.loading import read_header, reading
from creatures.latents.sampler import load_sampler
from creatures.runtime.errors import UserError
from creatures.translation.colouring import load_colourer
from creatures.translation.unet import UNet, draw_noise

OUT = Path("models/export")
CHECKED = 3  # a batch size other than the traced one
MOST = 1e-4  # largest difference allowed between onnxruntime's pixels, in [-1, 1], and torch's
OPSET = 18
PALETTE = "RGB in [-1, 1] and fraction of the foreground, the most frequent colour first; zeros for none"
LINES, COLOURS = "-1 on lines, 1 elsewhere", "RGB in [-1, 1]"
HINTS = "RGB in [-1, 1] and 1 where a colour is wanted, 0.5 in the rest of its region; zeros elsewhere"
TITLE = "# Creature networks"  # of the model card
DATA = """\
Made by this project's `dvc repro` and `python -m app export`; `params.yaml` names the pictures (`scrape`).
The default ones are of Pokémon: they belong with their pictures to Nintendo, Creatures Inc. and GAME FREAK inc.;
what a network learnt from them is for study and fun, not for sale. What you may do with the output depends on the
pictures you trained on. The networks only know such pictures, centred on a plain background. The project's MIT
licence covers its code, not these networks.""".splitlines()


@dataclass(frozen=True)
class Exported:
    """A network with the metadata of its file.

    Attributes:
        inputs: returns example inputs, by name, for a number of pictures.
        about: shapes and ranges of inputs and output, by name.
        params: those it was trained with.
        metrics: file of its metrics; None if it is not of this checkout's last run.
        outputs: names of what it returns, pictures first.
    """

    net: nn.Module
    inputs: Callable[[int], dict[str, Tensor]]
    about: dict[str, str]
    params: dict[str, Any]
    metrics: Path | None
    outputs: tuple[str, ...] = ("pictures",)


def generator() -> Exported:
    """Generator, from z to pictures."""
    file = generator_file()
    sampler, header = load_sampler(file), read_header(file)
    latent, px = sampler.latent, sampler.net.image_px
    if latent.mixture is not None:
        drawn_from = f"drawn from the mixture in {file.with_name(MIXTURE.name)}"
    elif latent.class_probs is not None:
        drawn_from = f"{latent.z_dim} numbers drawn from N(0, I), then a one for the class and zeros"
    else:
        drawn_from = "drawn from N(0, I)"
    return Exported(
        sampler.net,
        lambda count: {"z": torch.from_numpy(latent.draw(count, np.random.default_rng(0))[0])},
        {
            "z": f"float32, batch x {latent.length}: {drawn_from}",
            "pictures": f"float32, batch x 3 x {px} x {px}, RGB in [-1, 1]",
        },
        header["params"],
        Path("metrics/evaluate.json") if is_own(file) else None,
    )


class Paint(nn.Module):
    """A colourer that takes hints, with both of its outputs."""

    def __init__(self, net: UNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, outlines: Tensor, noise: Tensor, palettes: Tensor, hints: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures and logits, see `UNet.paint`."""
        return self.net.paint(outlines, noise, palettes, hints)


def pix2pix() -> Exported:
    """Colourer, from outlines, noise, palettes and hints to pictures."""
    file = colourer_file()
    colourer, header = load_colourer(file), read_header(file)
    net, px = colourer.net, colourer.net.image_px

    def inputs(count: int) -> dict[str, Tensor]:
        rng = torch.Generator().manual_seed(0)
        lines = (torch.rand(count, net.inputs, px, px, generator=rng) > 0.1).float() * 2 - 1
        tensors = {"outlines": lines, "noise": draw_noise(net, colourer.noise, count, rng)}
        if net.colours or net.hints:
            tensors["palettes"] = torch.rand(count, net.colours, 4, generator=rng)
        if net.hints:
            mask = (torch.rand(count, 1, px, px, generator=rng) > 0.9).float()
            tensors["hints"] = torch.cat([(torch.rand(count, 3, px, px, generator=rng) * 2 - 1) * mask, mask], dim=1)
        return tensors

    several = ", or 0 and 2 with equal chances for one of many" if colourer.noise == "dropout" else ""
    if net.hints:
        given = {
            "hints": f"float32, batch x 4 x {px} x {px}: {HINTS}",
            "choices": f"float32, batch x {net.colours} x {px} x {px}: logits of the palette's colours",
        }
    else:
        given = {}
    return Exported(
        Paint(net) if net.hints else net,
        inputs,
        {
            "outlines": f"float32, batch x {net.inputs} x {px} x {px}: {LINES if net.inputs == 1 else COLOURS}",
            "noise": f"float32, batch x {net.noise_length}: ones for the one colouring without noise{several}",
            **({"palettes": f"float32, batch x {net.colours} x 4: {PALETTE}"} if net.colours else {}),
            **given,
            "pictures": f"float32, batch x 3 x {px} x {px}, RGB in [-1, 1]",
        },
        header["params"],
        Path("metrics/pix2pix.json") if is_own(file) else None,
        ("pictures", "choices") if net.hints else ("pictures",),
    )


MODELS: dict[str, Callable[[], Exported]] = {"generator": generator, "pix2pix": pix2pix}


def export(out: Path = OUT) -> list[Path]:
    """Write `<name>.onnx` for each of MODELS, and `README.md`; nothing is written until all are checked.

    Raises:
        UserError: a model is missing, onnxruntime does not draw what torch draws, or a README.md of others is there.
    """
    if (there := out / "README.md").is_file():
        with open(there, encoding="utf-8", errors="replace") as file:
            if file.readline().rstrip() != TITLE:
                raise replaced(there)
    models = {name: load() for name, load in MODELS.items()}
    note_changes(generator_file(), colourer_file())
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out) as folder:
        written = [write(name, model, Path(folder) / f"{name}.onnx") for name, model in models.items()]
        named = {f"{name}.onnx": model for name, model in models.items()}
        written.append(card(named, Path(folder) / "README.md", [TITLE, "", *DATA]))
        return [path.replace(out / path.name) for path in written]


def write(name: str, model: Exported, path: Path) -> Path:
    """Write one file and check it."""
    import onnx

    inputs, batch = model.inputs(2), torch.export.Dim("batch")
    net = model.net.to(memory_format=torch.contiguous_format).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, about its own code
        torch.onnx.export(
            net,
            tuple(inputs.values()),
            path,
            input_names=list(inputs),
            output_names=list(model.outputs),
            dynamic_shapes=tuple({0: batch} for _ in inputs),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    document = onnx.load(path)
    for key, text in model.about.items():
        document.metadata_props.add(key=key, value=text)
    onnx.checker.check_model(document, full_check=True)
    onnx.save(document, path)
    error = difference(path, net, model.inputs(CHECKED))
    if not error < MOST:  # true for NaN too
        raise UserError(f"{name}: onnxruntime's pictures differ from torch's by {error:.2g}; nothing was written")
    return path


@torch.no_grad()
def difference(path: Path, net: nn.Module, inputs: dict[str, Tensor]) -> float:
    """Largest absolute difference between the pictures of onnxruntime and torch."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (pictures,) = session.run(["pictures"], {name: value.numpy() for name, value in inputs.items()})
    drawn = net(*inputs.values())
    return float(np.abs(pictures - (drawn[0] if isinstance(drawn, tuple) else drawn).numpy()).max())


def card(models: dict[str, Exported], path: Path, begin: list[str]) -> Path:
    """Write a model card (M. Mitchell et al., 2019): some lines, then of each model's file parameters and metrics."""
    lines = list(begin)
    for name, model in models.items():
        lines += ["", f"## {name}", "", *(f"- `{key}`: {text}" for key, text in model.about.items())]
        lines += ["", "Trained with:", "", "```json", json.dumps(model.params, indent=2), "```"]
        if model.metrics and model.metrics.exists():
            with reading(model.metrics):
                measured = model.metrics.read_text(encoding="utf-8").rstrip()
            lines += ["", "Measured:", "", "```json", measured, "```"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
