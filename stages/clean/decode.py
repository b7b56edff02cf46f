"""Decode all files to packed frames, on Daft: one row per file, in as many processes as there are cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from creatures.cluster import answers, on_ray
from creatures.data.pictures import CLEANING
from creatures.decoding.files import open_frames
from creatures.decoding.foreground import background_of, fitted, ink
from creatures.decoding.unusable import AS_BACKGROUND, BLANK, Unusable
from creatures.runtime.system import usable_cores
from stages.clean.fingerprint import phash, thumb
from stages.clean.upright import first_failed

if TYPE_CHECKING:
    from PIL import Image

    from stages.clean.params import CleanParams

BATCH = 4  # files passed to a process at once: an animation may have a hundred frames
SHARE = 100  # files per core of a cluster at once: starting takes a second


def decode_file(path: str, params: CleanParams, px: int) -> dict[str, Any]:
    """Decode one file: its frames, and those that are dropped.

    Returns:
        frame: their numbers; pixels: uint8, 3 x px x px each, joined; thumb, sha256, phash, ink, odd, area;
        dropped: frame, reason and detail of the others.
    """
    packed: list[tuple[Any, ...]] = []
    dropped: list[dict[str, Any]] = []
    number = 0
    try:
        for number, image in open_frames(path, px, params.frames_per_gif):
            try:
                packed.append((number, *pack(image, params, px)))
            except Unusable as error:
                dropped.append({"frame": number, "reason": error.reason, "detail": error.detail})
    except Unusable as error:
        broken = number + 1 if packed or dropped else 0
        dropped.append({"frame": broken, "reason": error.reason, "detail": error.detail})
    columns = zip(*packed, strict=True) if packed else ([],) * 8
    frame, pixels, thumbs, digests, hashes, inks, odd, areas = map(list, columns)
    return {
        "frame": frame,
        "pixels": b"".join(pixels),
        "thumb": b"".join(thumbs),
        "sha256": b"".join(digests),
        "phash": np.array(hashes, np.uint64).tobytes(),
        "ink": np.array(inks, np.float32).tobytes(),
        "odd": np.array(odd, np.uint8).tobytes(),
        "area": np.array(areas, np.int64).tobytes(),
        "dropped": dropped,
    }


def pack(image: Image.Image, params: CleanParams, px: int) -> tuple[bytes, bytes, bytes, int, float, int, int]:
    """One RGBA picture as pixels (3 x px x px), thumb, sha256, phash, ink, the test of `params.upright`
    that it fails (see `first_failed`), and the area of its foreground in the original's pixels.
    """
    picture, background, area = fitted(image, px, **{name: getattr(params, name) for name in CLEANING})
    odd = first_failed(image, background_of(image, params.background), params.upright) if params.upright else 0
    covered = ink(picture, background)
    if not covered:
        raise Unusable(BLANK, AS_BACKGROUND)
    pixels = np.asarray(picture).transpose(2, 0, 1).tobytes()
    return (
        pixels,
        thumb(picture),
        sha256(pixels).digest(),
        phash(picture),
        covered,
        odd,
        area,
    )


def decode_all(paths: Sequence[str] | pa.Array, params: CleanParams, px: int) -> Iterator[dict[str, Any]]:
    """`decode_file` of all files, as they complete, each with its index in `paths` as `file`."""
    cluster = on_ray()
    import daft
    from daft import DataFrame, DataType, Series

    dropped = DataType.struct({"frame": DataType.int32(), "reason": DataType.string(), "detail": DataType.string()})
    result = DataType.struct(
        {"frame": DataType.list(DataType.int32())}
        | {name: DataType.binary() for name in ("pixels", "thumb", "sha256", "phash", "ink", "odd", "area")}
        | {"dropped": DataType.list(dropped)}
    )

    # On a cluster each partition gets its own process, as many at once as there are cores: a process
    # pool, as on one machine, would not survive the loss of a node
    @daft.cls(use_process=True, max_concurrency=None if cluster else usable_cores())
    class Decoder:
        @daft.method.batch(return_dtype=result, batch_size=BATCH)
        def decode(self, path: Series) -> list[dict[str, Any]]:
            return [decode_file(name, params, px) for name in path.to_pylist()]

    def decoded(files: Sequence[int]) -> DataFrame:
        table = daft.from_pydict({"file": pa.array(files), "path": pa.array(paths).take(pa.array(files, pa.int64()))})
        if cluster:
            table = table.into_partitions(-(-len(files) // SHARE))
        frames = Decoder().decode(table["path"]).alias("frames")  # type: ignore[arg-type,attr-defined]
        return table.select("file", frames)

    for file, columns in answers(range(len(paths)), decoded):
        yield {"file": file, **columns}
