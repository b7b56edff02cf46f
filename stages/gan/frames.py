"""Samples of fixed latents while training, joined to a GIF in order."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image
from torch import Tensor

from stages.lib.sheets import grid
from stages.lib.tensors import to_uint8

COLUMNS = 8


def save_frame(folder: Path, step: int, images: Tensor) -> None:
    """Write a grid of pictures, float N x 3 x H x W in [-1, 1], as a file that sorts by its step."""
    partial = folder / "frame.partial"
    Image.fromarray(grid(to_uint8(images), COLUMNS)).save(partial, format="png")
    os.replace(partial, folder / f"frame-{step:08d}.png")


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
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False)
