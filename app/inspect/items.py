"""List of the pictures that `clean` kept and dropped, with thumbnails."""

from __future__ import annotations

import io
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from creatures.artifacts import CLEAN, MANIFEST, RAW
from creatures.data.loading import reading
from creatures.data.pictures import open_pictures
from creatures.data.vetoes import veto_name
from creatures.decoding.files import open_frames
from creatures.decoding.unusable import Unusable
from creatures.runtime.config import read_yaml
from creatures.runtime.errors import UserError

LOCK = Path("dvc.lock")
KEPT = "kept"
SIDE_PX = 112


@dataclass(frozen=True)
class Item:
    """One picture: its and its file's name in vetoes, why it was dropped (or KEPT), the number of the one it copies."""

    name: str
    file: str
    reason: str
    detail: str
    label: str
    of: int | None = None


def scraped_anew() -> bool:
    """Whether `scrape` has run since `clean`, by dvc.lock; False if it does not mention them."""
    if not LOCK.exists():
        return False
    with reading(LOCK):
        ran = read_yaml(LOCK)["stages"]
        outs, deps = (ran.get(name, {}).get(key, []) for name, key in (("scrape", "outs"), ("clean", "deps")))
        digests = [{entry["path"]: entry.get("md5") for entry in entries}.get(str(RAW)) for entries in (outs, deps)]
    return None not in digests and digests[0] != digests[1]


class Items:
    """All pictures, kept ones first. Numbers are indices into `items`."""

    def __init__(self) -> None:
        pictures = open_pictures()
        self.images = pictures.images
        kept_rows = pictures.index.select(["source", "frame", "species"]).to_pylist()
        with reading(CLEAN / "dropped.parquet"), open(CLEAN / "dropped.parquet", "rb") as file:
            dropped_rows = pq.read_table(file).to_pylist()
            rows = [(row["source"], row["frame"]) for row in [*kept_rows, *dropped_rows]]
        with reading(MANIFEST):
            manifest = pq.read_table(MANIFEST, columns=["path", "label", "status"]).to_pylist()
        labels = {row["path"]: row["label"] for row in manifest if row["status"] == "ok"}
        if not labels.keys() >= {source for source, _ in rows} or scraped_anew():
            raise UserError(f"{CLEAN} was made of other pictures than those in {RAW}; run dvc repro")
        number_of = {row: number for number, row in reversed([*enumerate(rows)])}
        self.rows = rows
        self.items = [
            Item(
                veto_name(source, frame),
                veto_name(source),
                row.get("reason", KEPT),
                row.get("detail") or "",
                labels.get(source, ""),
                number_of.get((row.get("copy_of"), row.get("copy_frame"))),
            )
            for (source, frame), row in zip(rows, [*kept_rows, *dropped_rows], strict=True)
        ]
        self._one_at_a_time = threading.Lock()  # drawings share one process

    def records(self, numbers: list[int] | None = None) -> dict[int, dict[str, Any]]:
        """Items, all or some, by number, ready for JSON."""
        return {number: asdict(self.items[number]) for number in numbers or range(len(self.items))}

    def evenly_spaced(self, count: int) -> list[int]:
        """The numbers of at most `count` items of each reason, evenly spaced."""
        reasons = np.array([item.reason for item in self.items])
        chosen: list[int] = []
        for reason in dict.fromkeys(reasons.tolist()):
            rows = np.flatnonzero(reasons == reason)
            chosen += rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)].tolist()
        return sorted(chosen)

    def thumbnail(self, number: int) -> bytes | None:
        """A picture as WebP, at most SIDE_PX wide and high: a kept one as used in training, a dropped one as
        scraped. None if it cannot be read.
        """
        try:
            with self._one_at_a_time:
                image = Image.fromarray(self._pixels(number))
        except Unusable:
            return None
        out = io.BytesIO()
        image.thumbnail((SIDE_PX, SIDE_PX))
        image.save(out, "WEBP", quality=85)
        return out.getvalue()

    def _pixels(self, number: int) -> np.ndarray:
        if number < len(self.images):
            return self.images[number].transpose(1, 2, 0)
        source, frame = self.rows[number]
        for index, image in open_frames(RAW / "files" / source, SIDE_PX, "all"):
            if index == frame:
                return np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"))
        raise Unusable("undecodable", "no such frame")
