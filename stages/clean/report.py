"""What became of each frame: rows of the index, rows of the dropped, counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from stages.clean.files import Files
from stages.clean.reasons import REASONS
from stages.clean.split import split_of
from stages.clean.spool import Frames
from stages.lib.pictures import SPLITS


def index_columns(
    frames: Frames, kept: np.ndarray, files: Files, val_share: float, test_share: float
) -> dict[str, np.ndarray]:
    """The columns of index.parquet for the kept rows of `frames`, less `id` and `label`."""
    named = zip(files.path, files.label, strict=True)
    splits = np.array([split_of(path, label, val_share, test_share) for path, label in named], object)
    of = frames.file[kept]
    return {
        "species": files.label[of],
        "style": files.style[of],
        "source": files.path[of],
        "frame": frames.frame[kept],
        "split": splits[of],
        "sha256": np.array([bytes(row).hex() for row in frames.sha256[kept].view(np.uint8).reshape(-1, 32)], object),
        "phash": frames.phash[kept],
        "ink": frames.ink[kept],
    }


def drop_rows(dropped: list[dict[str, Any]], files: Files) -> list[dict[str, Any]]:
    """Rows of dropped.parquet for what was left out while decoding."""
    return [{"source": files.path[row["file"]], **row} for row in dropped]


def copy_rows(frames: Frames, files: Files, copies: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Rows of dropped.parquet for copies: for each reason, the row that a row is a copy of or -1."""
    return [
        {
            "source": files.path[frames.file[row]],
            "frame": int(frames.frame[row]),
            "reason": reason,
            "copy_of": files.path[frames.file[copy_of[row]]],
            "copy_frame": int(frames.frame[copy_of[row]]),
        }
        for reason, copy_of in copies.items()
        for row in np.flatnonzero(copy_of >= 0)
    ]


def rule_rows(frames: Frames, files: Files, reasons: Mapping[int, tuple[str, str]]) -> list[dict[str, Any]]:
    """Rows of dropped.parquet for frames that were decoded: reason and detail by row."""
    return [
        {
            "source": files.path[frames.file[row]],
            "frame": int(frames.frame[row]),
            "reason": reason,
            "detail": detail,
        }
        for row, (reason, detail) in reasons.items()
    ]


def figures(index: Mapping[str, Any], files: int, dropped: list[dict[str, Any]]) -> dict[str, Any]:
    """What metrics/clean.json holds; every reason is named, so that runs compare."""
    splits = Counter(index["split"])
    counts = Counter(row["reason"] for row in dropped)
    return {
        "files": files,
        "pictures": len(index["split"]),
        **{split: splits[split] for split in SPLITS},
        "species": len(set(index["species"]) - {""}),
        "ink": float(np.median(index["ink"])),
        "dropped": len(dropped),
        "drops": {reason: counts[reason] for reason in REASONS},
    }


def tell(dropped: list[dict[str, Any]]) -> str:
    """Counts of reasons in one line."""
    counts = Counter(row["reason"] for row in dropped)
    return ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
