"""Sample grids of a network as it trains, joined to a GIF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from creatures.data.sheets import grid
from creatures.runtime.atomic import atomic_file


def save_frame(folder: Path, step: int, images: np.ndarray, columns: int) -> None:
    """Write a grid of pictures, uint8, N x 3 x H x W, whole or not at all, as a file that sorts by its step."""
    with atomic_file(folder / f"frame-{step:08d}.png") as part:
        Image.fromarray(grid(images, columns)).save(part)


def join_frames(folder: Path, path: Path, seconds: float = 0.3) -> None:
    """All frames of a folder as one looping GIF; the last one stays on for longer."""
    frames = []
    for file in sorted(folder.glob("frame-*.png")):
        with Image.open(file) as frame:
            frames.append(frame.convert("P", palette=Image.Palette.ADAPTIVE))
    if not frames:
        return
    durations = [round(1000 * seconds)] * (len(frames) - 1) + [2000]
    with atomic_file(path) as part:
        frames[0].save(part, save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False)
