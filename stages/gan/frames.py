"""Samples of fixed latents while training, joined to a GIF in order."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from stages.lib.nets.base import Generator
from stages.lib.sheets import grid
from stages.lib.tensors import to_uint8

COLUMNS = 8


def frame_saver(z: np.ndarray) -> Callable[[Path, int, Generator], None]:
    """A function that writes the grid of fixed latents, N x z_dim, to a folder, as a file that sorts by its step."""

    def save(folder: Path, step: int, generator: Generator) -> None:
        device = next(generator.parameters()).device
        with torch.no_grad():
            images = to_uint8(generator(torch.from_numpy(z).to(device)))
        partial = folder / "frame.partial"
        Image.fromarray(grid(images, COLUMNS)).save(partial, format="png")
        os.replace(partial, folder / f"frame-{step:08d}.png")

    return save


def join_frames(folder: Path, path: Path, seconds: float = 0.3) -> None:
    """All frames of a folder as one looping GIF; the last one stays on for longer."""
    frames = []
    for file in sorted(folder.glob("frame-*.png")):
        with Image.open(file) as frame:
            frames.append(frame.convert("P", palette=Image.Palette.ADAPTIVE))
    if not frames:
        return
    durations = [round(1000 * seconds)] * (len(frames) - 1) + [2000]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # it may be a link into DVC's cache
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False)
