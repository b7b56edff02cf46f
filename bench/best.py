"""The best samples of many compared with all samples: `generate --best` at several fractions.

    python -m bench.best 1 0.5 0.25 0.1

Needs data/clean, and samples from the networks of models/ or the released ones. Scored as in bench.quality, on
EfficientNet-Lite1. Prints a table.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from app.best import RealismScorer
from app.generate import drawn_for
from app.networks import critic_file, generator_file
from bench.report import COLUMNS
from bench.scores import scores
from creatures.data.pictures import open_pictures
from creatures.latents.sampler import Sampler, load_sampler
from creatures.runtime.config import parse, read_yaml
from creatures.runtime.errors import UserError
from stages.evaluate.params import EvaluateParams


@dataclass(frozen=True)
class BestOf:
    """A sampler that keeps the best fraction of what it draws."""

    sampler: Sampler
    scorer: RealismScorer
    fraction: float

    def sample(self, count: int, seed: int) -> np.ndarray:
        """uint8, count x 3 x H x W."""
        z, classes = self.sampler.latent.draw_each(seed, range(drawn_for(count, self.fraction)))
        images = self.sampler.draw(z)
        return images[self.scorer.best(images, z, classes, count)]


def main(
    shares: Annotated[list[float], typer.Argument(min=0.01, max=1.0, help="Of what is drawn, kept.")],
    out: Annotated[Path, typer.Option(help="Folder for features of real pictures.")] = Path("samples/best"),
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    try:
        p = parse("evaluate", read_yaml("params.yaml")["evaluate"], EvaluateParams)
        pictures, file = open_pictures(), generator_file()
        sampler, scorer = load_sampler(file), RealismScorer(critic_file(), file)
    except UserError as error:
        sys.exit(f"best: {error}")
    columns = [name for name in COLUMNS if name != "kid_lite2"]
    print(f"| kept | {' | '.join(columns)} |\n|{' --- |' * (len(columns) + 1)}")
    for share in shares:
        metrics = scores(BestOf(sampler, scorer, share), pictures, 0, p, out)
        print(f"| {share:g} | {' | '.join(f'{metrics[name]:.3f}' for name in columns)} |", flush=True)


if __name__ == "__main__":
    typer.run(main)
