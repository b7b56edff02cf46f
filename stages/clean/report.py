"""Outcome of cleaning, frame by frame: the index, the table of dropped frames, counts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from creatures.data.pictures import SPLITS
from creatures.decoding.foreground import AUTO
from creatures.decoding.unusable import AS_BACKGROUND, BLANK, HEIC
from creatures.intake.splits import assign_splits
from stages.clean.files import Files
from stages.clean.pack import DROPPED, labels_of
from stages.clean.params import CleanParams
from stages.clean.reasons import REASONS
from stages.clean.select import Verdict
from stages.clean.spool import Frames

NAMED = 5  # labels in a message


def splits_of(files: Files, val_share: float, test_share: float) -> np.ndarray:
    """The split of each file: N names."""
    return assign_splits(files.path.to_pylist(), files.label.tolist(), files.split.tolist(), val_share, test_share)


def index_table(frames: Frames, rows: np.ndarray, files: Files, split: np.ndarray) -> pa.Table:
    """index.parquet, except `id`, for some rows of `frames`; `split` has the split of every frame."""
    file = frames.file[rows]
    return pa.table(
        {
            "label": labels_of(files.label[file]),
            "species": files.label[file],
            "style": files.style[file],
            "source": files.paths(file),
            "frame": frames.frame[rows],
            "split": split[rows],
            "sha256": pa.array(bytes(row).hex() for row in frames.sha256[rows].view(np.uint8).reshape(-1, 32)),
            "phash": frames.phash[rows],
            "ink": frames.ink[rows],
        }
    )


def dropped_table(frames: Frames, files: Files, undecoded: list[dict[str, Any]], verdict: Verdict) -> pa.Table:
    """dropped.parquet, by source and frame: undecodable files and frames, copies, and what rules dropped."""

    def table(rows: np.ndarray, reason: list[str], **more: Any) -> pa.Table:
        columns = {"source": files.paths(frames.file[rows]), "frame": frames.frame[rows], "reason": reason, **more}
        missing = {name: pa.nulls(len(rows)) for name in DROPPED.names if name not in columns}
        return pa.table(columns | missing).select(DROPPED.names).cast(DROPPED)

    lost = [{**row, "source": files.path[row["file"]].as_py()} for row in undecoded]
    parts = [pa.Table.from_pylist(lost, DROPPED)]
    for reason, copy_of in verdict.copies.items():
        rows = np.flatnonzero(copy_of >= 0)
        first = copy_of[rows]
        parts.append(
            table(
                rows,
                [reason] * len(rows),
                copy_of=files.paths(frames.file[first]),
                copy_frame=frames.frame[first],
            )
        )
    verdicts = [*verdict.unwanted.values()]
    unwanted = np.array([*verdict.unwanted], int)
    parts.append(table(unwanted, [reason for reason, _ in verdicts], detail=[detail for _, detail in verdicts]))
    order = [(name, "ascending") for name in ("source", "frame", "reason")]
    return pa.concat_tables(parts).sort_by(order).combine_chunks()


def metrics(index: pa.Table, files: int, dropped: pa.Table) -> dict[str, Any]:
    """The contents of metrics/clean.json; every reason is listed, so that runs can be compared."""
    splits, reasons = counts(index["split"]), counts(dropped["reason"])
    return {
        "files": files,
        "pictures": len(index),
        **{split: splits[split] for split in SPLITS},
        "species": len(species := _species(index)),
        "test_species": len(species - _species(index.filter(pc.not_equal(index["split"], "test")))),
        "ink": float(np.median(index["ink"])),
        "dropped": len(dropped),
        "drops": {reason: reasons[reason] for reason in REASONS},
    }


def held_out(index: pa.Table) -> str:
    """The splits of the pictures, in a line."""
    splits, species = counts(index["split"]), _species(index)
    unseen = sorted(species - _species(index.filter(pc.not_equal(index["split"], "test"))))
    if unseen:
        some = ", ".join(unseen[:NAMED]) + (", …" if len(unseen) > NAMED else "")
        which = f", all pictures of {len(unseen):,} of {len(species):,} labels: {some}"
    else:
        tested = _species(index.filter(pc.equal(index["split"], "test")))
        which = ", of labels that are also in train" if tested else ""
    return f"{len(index):,} pictures: {', '.join(f'{splits[name]:,} {name}' for name in SPLITS)}{which}"


def _species(index: pa.Table) -> set[str]:
    return {*pc.unique(index["species"]).to_pylist()} - {""}


def counts(names: pa.ChunkedArray) -> Counter[str]:
    """Number of occurrences of each value of a column."""
    tally = pc.value_counts(names)
    return Counter(dict(zip(tally.field("values").to_pylist(), tally.field("counts").to_pylist(), strict=True)))


def why_dropped(dropped: pa.Table, params: CleanParams) -> str:
    """Counts of reasons in one line, and what helps against those that a parameter causes."""
    line = ", ".join(f"{count:,} {reason}" for reason, count in counts(dropped["reason"]).most_common())
    invisible = pc.and_(pc.equal(dropped["reason"], BLANK), pc.equal(dropped["detail"], AS_BACKGROUND))
    count = pc.sum(invisible).as_py() or 0
    if count and params.background != AUTO:
        line += f"; {count:,} cannot be seen on clean.background, {params.background}: set it to auto or another colour"
    if heic := pc.sum(pc.equal(dropped["detail"], HEIC)).as_py():
        line += f"; {heic:,} are HEIC: pip install pillow-heif reads them"
    return line
