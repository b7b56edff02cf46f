"""Which of the decoded frames stay, and why the others do not."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from creatures.artifacts import VETOES
from creatures.data.vetoes import DROP, KEEP, veto_name
from creatures.decoding.unusable import EXACT, NEAR
from stages.clean.copies import copies
from stages.clean.files import Files
from stages.clean.near import copy_rule, exact_copies, near_copies
from stages.clean.outliers import embed, strangeness
from stages.clean.pack import DRAWING
from stages.clean.params import CleanParams
from stages.clean.reasons import OUTLIER, VETOED
from stages.clean.spool import Frames, Spool
from stages.clean.upright import TESTS


@dataclass
class Verdict:
    """Outcome for N frames.

    Attributes:
        kept: ascending row numbers.
        copies: for each reason, int64, N: the row that a row is a copy of, else -1.
        unwanted: reason and detail by row, of those dropped for what they show.
    """

    kept: np.ndarray
    copies: dict[str, np.ndarray] = field(default_factory=dict)
    unwanted: dict[int, tuple[str, str]] = field(default_factory=dict)

    def drop(self, rows: np.ndarray, reason: str, details: list[str] | None = None) -> None:
        """Take `rows` out of those kept."""
        self.kept = np.setdiff1d(self.kept, rows)
        self.unwanted |= {
            row: (reason, detail) for row, detail in zip(rows.tolist(), details or [""] * len(rows), strict=True)
        }


def select(
    frames: Frames, spool: Spool, files: Files, params: CleanParams, vetoes: dict[str, str], folder: Path
) -> Verdict:
    """Go through the rules: `upright`, copies, vetoes (so that a copy takes no vetoed picture's place), outliers.

    Args:
        vetoes: as `read_vetoes` gives them; what is to be kept is spared by all rules, but as an exact copy only
            if what it is the same as is vetoed.
        folder: for what does not fit in memory.
    """
    said = _said(frames, files, vetoes)
    spared = said == KEEP
    verdict = Verdict(np.arange(len(frames)))
    for number, name in enumerate(TESTS, 1):
        verdict.drop(np.flatnonzero((frames.odd == number) & ~spared), name)

    label = files.label[frames.file]
    drawn = files.style[frames.file] == DRAWING
    area = np.where(drawn, np.iinfo(np.int64).max, frames.area)  # drawings have any number of pixels
    alike = copy_rule(spool.thumbs(), frames.place, label, params.near_colour, params.recolours)
    searches = {
        EXACT: partial(exact_copies, frames.sha256),
        NEAR: partial(near_copies, frames.phash, bits=params.near_hash, alike=alike),
    }
    verdict.copies = copies(searches, verdict.kept, files.rank[frames.file], area)
    verdict.copies[NEAR][spared] = -1
    exact = verdict.copies[EXACT]
    exact[spared & (exact >= 0) & (said[exact] == DROP)] = -1  # in the place of what it is the same as
    for copy_of in verdict.copies.values():
        verdict.kept = verdict.kept[copy_of[verdict.kept] < 0]

    verdict.drop(verdict.kept[said[verdict.kept] == DROP], VETOED)
    if params.outliers:
        rows = verdict.kept
        features = embed(spool.pictures(frames.place[rows]), len(rows), folder / "features.npy")
        strange = strangeness(features, label[rows], frames.file[rows])
        far = np.flatnonzero((strange > params.outliers) & ~spared[rows])
        verdict.drop(rows[far], OUTLIER, [f"{strange[row]:.1f} deviations" for row in far])
    return verdict


def _said(frames: Frames, files: Files, vetoes: dict[str, str]) -> np.ndarray:
    """Vetoes of each frame, "" for none. A line of one frame counts more than one of its file."""
    said = np.full(len(frames), "", object)
    if not vetoes:
        return said
    numbers = {veto_name(path): number for number, path in enumerate(files.path.to_pylist())}
    unknown = 0
    for name, verdict in sorted(vetoes.items(), key=lambda item: item[0] not in numbers):
        path, _, frame = name.rpartition("#")
        if name in numbers:
            said[frames.file == numbers[name]] = verdict
        elif path in numbers and frame.isdecimal():
            said[(frames.file == numbers[path]) & (frames.frame == int(frame))] = verdict
        else:
            unknown += 1
    if unknown:
        print(f"clean: {unknown} of {len(vetoes)} lines of {VETOES} name no scraped file", file=sys.stderr)
    return said
