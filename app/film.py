"""Videos of loops through creatures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from scipy.spatial import KDTree

from app.explore import load_explorer, place
from app.generate import addresses_of, latents_at
from app.networks import generator_file
from app.pictures import must_end, spare
from app.trained import note_changes
from creatures.latents.sampler import load_sampler
from creatures.runtime.atomic import atomic_file
from creatures.runtime.errors import UserError

RATE = 16  # frames per second
PALETTE_FRAMES = 24  # and up to twice as many, that a GIF's palette is made from


def walk(
    whats: Sequence[str], seeds: str, stops: int, frames: int, seed: int, truncation: float, scale: int, out: Path
) -> Path:
    """Write a closed path through creatures as a video, in the format that the suffix of `out` says.

    Args:
        whats: species or picture files that it passes through.
        seeds: a list such as `3,7-9`: the first creatures of these seeds come next.
        stops: number of samples of the mixture that it passes through, if there are neither.
        frames: number of frames.
        scale: factor by which they are enlarged.

    Raises:
        UserError: a model or a creature is missing, there is only one creature, or its file would be replaced.
    """
    must_end(out, *WRITERS)
    spare(whats, out, out)  # there is no folder beside it
    sampler = load_sampler(generator_file())
    explorer = load_explorer(sampler)
    if whats or seeds:
        points = [place(what)[1] for what in whats]
        if seeds:
            points += list(latents_at(sampler, addresses_of(seeds, "", 0, truncation, ""))[0])
        if len(points) < 2:
            raise UserError("a loop needs at least two creatures")
    else:
        points = list(explorer.mixture.sample(stops, np.random.default_rng(seed), truncation)[0])
    images = explorer.draw(explorer.loop(np.stack(points), frames)).transpose(0, 2, 3, 1)
    side = images.shape[1] * scale
    enlarged = [Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC) for image in images]
    note_changes(generator_file())
    with atomic_file(out) as part:
        WRITERS[out.suffix](part, enlarged)
    return out


def write_gif(path: Path, frames: Sequence[Image.Image]) -> None:
    """Write RGB pictures of one size as a GIF that repeats. One palette for all, so that colours do not flicker, has
    the background, the colour of the first pixel, as it is.
    """
    pixels = np.concatenate([np.asarray(frame) for frame in frames[:: max(1, len(frames) // PALETTE_FRAMES)]])
    background = pixels[0, 0]
    others = pixels[(pixels != background).any(axis=2)][None]
    quantised = Image.fromarray(others if others.size else pixels).quantize(255).getpalette("RGB")
    palette = np.array([*background, *(quantised or ())], np.uint8)
    nearest = KDTree(palette.reshape(-1, 3))
    indexed = [_indexed(frame, nearest, palette) for frame in frames]
    duration = 1000 // RATE // 10 * 10  # in hundredths of a second
    indexed[0].save(path, save_all=True, append_images=indexed[1:], duration=duration, loop=0, optimize=False)


def _indexed(frame: Image.Image, nearest: KDTree, palette: np.ndarray) -> Image.Image:
    """A picture in the colours of a palette. Pillow's own search is not exact: white would turn grey."""
    colours, inverse = np.unique(np.asarray(frame).reshape(-1, 3), axis=0, return_inverse=True)
    image = Image.fromarray(nearest.query(colours)[1].astype(np.uint8)[inverse].reshape(frame.size[::-1]), "P")
    image.putpalette(palette.tobytes())
    return image


def write_apng(path: Path, frames: Sequence[Image.Image]) -> None:
    """Write RGB pictures of one size as an animated PNG that repeats."""
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=1000 / RATE, loop=0)


def write_mp4(path: Path, frames: Sequence[Image.Image]) -> None:
    """Write RGB pictures of one size, with even sides, as H.264 video. Raises OSError."""
    _write_video(path, frames, "libx264", {})


def write_webm(path: Path, frames: Sequence[Image.Image]) -> None:
    """Write RGB pictures of one size, with even sides, as VP9 video. Raises OSError."""
    _write_video(path, frames, "libvpx-vp9", {"crf": "20", "b": "0"})


def _write_video(
    path: Path, frames: Sequence[Image.Image], codec: Literal["libx264", "libvpx-vp9"], options: dict[str, str]
) -> None:
    import av

    with av.open(str(path), "w", format=path.suffix[1:]) as video:
        stream = video.add_stream(codec, rate=RATE, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = frames[0].size
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            video.mux(stream.encode(av.VideoFrame.from_image(frame)))
        video.mux(stream.encode())


WRITERS = {".gif": write_gif, ".png": write_apng, ".mp4": write_mp4, ".webm": write_webm}
