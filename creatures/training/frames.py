"""Sample grids of a network during training, joined into a GIF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from creatures.data.sheets import grid
from creatures.runtime.atomic import atomic_file


def save_frame(folder: Path, step: int, images: np.ndarray, columns: int) -> None:
    """Write a grid of pictures, uint8 N x 3 x H x W, atomically, to a file whose name sorts by step."""
    with atomic_file(folder / f"frame-{step:08d}.png") as part:
        Image.fromarray(grid(images, columns)).save(part)


def join_frames(folder: Path, path: Path, seconds: float = 0.3) -> None:
    """Join all frames of a folder into a looping GIF; the last one is shown for longer."""
    frames = []
    for file in sorted(folder.glob("frame-*.png")):
        with Image.open(file) as frame:
            frames.append(frame.convert("P", palette=Image.Palette.ADAPTIVE))
    if not frames:
        return
    durations = [round(1000 * seconds)] * (len(frames) - 1) + [2000]
    with atomic_file(path) as part:
        frames[0].save(part, save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False)
