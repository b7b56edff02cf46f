"""Put the networks of models/ in the repository, for users who have none yet.

    python -m bench.release

Writes models/released/: the encoder, the mixture, the generator with its discriminator, and the colourer, compacted
(creatures/data/compact.py) and, except the discriminator, checked against float32; and docs/MODEL_CARD.md with its
sheets of pictures. Scores are those of bench.quality, of the compacted networks' pictures.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import typer
from torch import Tensor

from app.export import DATA
from app.networks import CARD, RELEASED
from bench.report import COLUMNS
from bench.scores import scores
from creatures.artifacts import COLOURER, DISCRIMINATOR, ENCODER, GENERATOR, MIXTURE, OUTLINES, PICTURES
from creatures.data.pictures import Pictures, evenly_spaced, open_pictures
from creatures.data.provenance import ancestors, digest_of
from creatures.data.sheets import save_sheet
from creatures.data.weights import load_weights, save_weights
from creatures.latents.mixture import load_mixture, save_mixture
from creatures.latents.sampler import load_sampler
from creatures.nets.encoder.encoder import load_encoder
from creatures.runtime.atomic import atomic_folder
from creatures.runtime.config import parse, read_yaml
from creatures.runtime.errors import UserError
from creatures.training.embed import embed_rows
from creatures.translation.colouring import load_colourer
from stages.evaluate.params import EvaluateParams

LEVELS = {ENCODER: 63, GENERATOR: 127, DISCRIMINATOR: 127, COLOURER: 127}
MOST_MB = 36
CHECKED = 128  # pictures that the original and the compacted network both draw
MOST = {"embedding": 0.05, "generator": 1.0, "colourer": 1.0}  # relative; the others in mean levels of 255
SHEETS = Path("docs/released")
HOW = SHEETS / "how.md"  # written by hand: what the files' own headers do not say


def main() -> None:
    try:
        print(*release(), sep="\n")
    except UserError as error:
        sys.exit(f"release: {error}")


def release(out: Path = RELEASED) -> list[Path]:
    """Write the folder, atomically, then the card.

    Raises:
        UserError: a network is missing or from another run, a compacted one is too far from the original, or
            together they are larger than MOST_MB.
    """
    ancestors(PICTURES, ENCODER, MIXTURE, GENERATOR, DISCRIMINATOR)
    ancestors(PICTURES, OUTLINES, COLOURER)
    pictures = open_pictures()
    with atomic_folder(out) as part:
        write(part, out)
        apart = differences(part, pictures)
        for name, most in MOST.items():
            if not apart[name] <= most:
                raise UserError(
                    f"the compacted {name} is {apart[name]:.3g} from the original; at most {most} is allowed"
                )
        size = sum(path.stat().st_size for path in part.iterdir()) / 1e6
        if size > MOST_MB:
            raise UserError(f"the files have {size:.1f} MB; at most {MOST_MB} are allowed")
    return [out, write_card(out, apart, size, pictures)]


def write(folder: Path, before: Path) -> None:
    """Write all files, each with the digests of the files in `folder` that it was made from.

    A network whose weights are those in `before` keeps its file, which git then stores once.
    """
    new_digests: dict[str, str] = {}

    def made_from(sources: dict[str, str]) -> dict[str, str]:
        return {name: new_digests.get(digest, digest) for name, digest in sources.items()}

    def compact(path: Path) -> None:
        tensors, header = load_weights(path)
        was = before / path.name
        if was.is_file() and equal(tensors, load_weights(was)[0]):
            shutil.copyfile(was, folder / path.name)
        else:
            header["made_from"] = made_from(header["made_from"])
            save_weights(folder / path.name, tensors, header, LEVELS[path])
        new_digests[digest_of(path)] = digest_of(folder / path.name)

    compact(ENCODER)
    with np.load(MIXTURE, allow_pickle=False) as arrays:
        sources = json.loads(str(arrays["made_from"]))
    save_mixture(folder / MIXTURE.name, load_mixture(), made_from(sources))
    new_digests[digest_of(MIXTURE)] = digest_of(folder / MIXTURE.name)
    compact(GENERATOR)
    compact(COLOURER)

    compact(DISCRIMINATOR)


def equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def differences(folder: Path, pictures: Pictures) -> dict[str, float]:
    """Distances of compacted networks from the originals: relative for embeddings, in levels of 255 for pictures."""
    rows = evenly_spaced(pictures.rows("val"), CHECKED)
    whole, compact = (embed_rows(load_encoder(path)[0], pictures, rows) for path in (ENCODER, folder / ENCODER.name))
    samples = [load_sampler(path).sample(CHECKED, 0) for path in (GENERATOR, folder / GENERATOR.name)]
    outlines = np.load(OUTLINES.parent / "sketch.npy", mmap_mode="r")[rows]
    coloured = [load_colourer(path).colour(outlines, 0) for path in (COLOURER, folder / COLOURER.name)]
    return {
        "embedding": float(np.linalg.norm(compact - whole) / np.linalg.norm(whole)),
        "generator": levels_apart(samples),
        "colourer": levels_apart(coloured),
    }


def levels_apart(pictures: list[np.ndarray]) -> float:
    first, second = (np.asarray(x, np.float32) for x in pictures)
    return float(np.abs(first - second).mean())


def write_card(folder: Path, apart: dict[str, float], size: float, pictures: Pictures) -> Path:
    """The model card (M. Mitchell et al., 2019), and the sheets it shows."""
    p = parse("evaluate", read_yaml("params.yaml")["evaluate"], EvaluateParams)
    sampler, cache = load_sampler(folder / GENERATOR.name), Path("samples/release")
    cache.mkdir(parents=True, exist_ok=True)
    metrics = scores(sampler, pictures, 0, p, cache)
    SHEETS.mkdir(parents=True, exist_ok=True)
    save_sheet(SHEETS / "samples.png", sampler.sample(64, 0), columns=16)
    save_sheet(SHEETS / "samples-4x.png", sampler.sample(32, 1), columns=8, scale=4)
    rows = evenly_spaced(pictures.rows("test"), 8)
    outlines = np.load(OUTLINES.parent / "sketch.npy", mmap_mode="r")[rows]
    coloured = load_colourer(folder / COLOURER.name).colour(outlines, 0)
    pairs = np.stack([np.repeat(outlines[:, None], 3, 1), coloured, pictures.images[rows]], axis=1)
    save_sheet(SHEETS / "colourings.png", pairs.reshape(-1, *coloured.shape[1:]), columns=12, scale=2)
    shutil.rmtree(cache)

    lines = [
        "# The released networks",
        "",
        *CARD_TEXT.splitlines(),
        "",
        f"{size:.1f} MB in `{folder}`. Made by `python -m bench.release`",
    ]
    lines += [f"at commit {commit()}.", "", "## Metrics", ""]
    lines += [
        f"Of {p.samples} uncurated samples (seed 1, truncation 1) of the compacted generator, as in `bench.quality`:"
    ]
    lines += ["KID on EfficientNet-Lite1 and 2 against val; docs/QUALITY.md explains `grid`, `one_piece`, `holes`.", ""]
    lines += [f"| {' | '.join(COLUMNS)} |", f"|{' --- |' * len(COLUMNS)}"]
    lines += [f"| {' | '.join(f'{metrics[name]:.3f}' for name in COLUMNS)} |", ""]
    lines += [
        "![64 uncurated samples](released/samples.png)",
        "",
        "![32 more, enlarged 4 times](released/samples-4x.png)",
        "",
    ]
    lines += [
        "Colourings of test species: outline, colouring, original.",
        "",
        "![colourings](released/colourings.png)",
        "",
    ]
    lines += ["Change by compaction, from float32: embeddings by " + f"{apart['embedding']:.1%}, pictures by"]
    lines += [f"{apart['generator']:.2f} levels of 255 on average, colourings by {apart['colourer']:.2f}.", ""]
    if HOW.exists():
        lines += ["## How they were trained", "", HOW.read_text(encoding="utf-8")]
    lines += ["## What they were made from and with", ""]
    for path in (ENCODER, GENERATOR, COLOURER):
        header = load_weights(folder / path.name)[1]
        fields: dict[str, Any] = {key: header.get(key) for key in ("architecture", "params", "made_from")}
        lines += [f"`{path.name}`:", "", "```json", json.dumps(fields, indent=1), "```", ""]
    card = Path(CARD)
    card.write_text("\n".join(lines), encoding="utf-8")
    return card


CARD_TEXT = "\n".join(["The networks that the commands use until you have trained your own.", *DATA[1:]])


def commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    typer.run(main)
