"""Which of the decoded frames to keep, and why the others are dropped."""

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
        unwanted: reason and detail, by row, of frames that are dropped for what they show.
    """

    kept: np.ndarray
    copies: dict[str, np.ndarray] = field(default_factory=dict)
    unwanted: dict[int, tuple[str, str]] = field(default_factory=dict)

    def drop(self, rows: np.ndarray, reason: str, details: list[str] | None = None) -> None:
        """Remove `rows` from those kept."""
        self.kept = np.setdiff1d(self.kept, rows)
        self.unwanted |= {
            row: (reason, detail) for row, detail in zip(rows.tolist(), details or [""] * len(rows), strict=True)
        }


def select(
    frames: Frames, spool: Spool, files: Files, params: CleanParams, vetoes: dict[str, str], folder: Path
) -> Verdict:
    """Apply the rules: `upright`, copies, vetoes (so that no copy takes a vetoed picture's place), outliers.

    Args:
        vetoes: as `read_vetoes` returns them; frames marked KEEP are exempt from all rules, but exact copies only
            if their original is vetoed.
        folder: for what does not fit in memory.
    """
    vetoed = _veto_of_frames(frames, files, vetoes)
    exempt = vetoed == KEEP
    verdict = Verdict(np.arange(len(frames)))
    for number, name in enumerate(TESTS, 1):
        verdict.drop(np.flatnonzero((frames.odd == number) & ~exempt), name)

    label = files.label[frames.file]
    is_drawing = files.style[frames.file] == DRAWING
    area = np.where(is_drawing, np.iinfo(np.int64).max, frames.area)  # vector drawings have no size in pixels
    alike = copy_rule(spool.thumbs(), frames.place, label, params.near_colour, params.recolours)
    searches = {
        EXACT: partial(exact_copies, frames.sha256),
        NEAR: partial(near_copies, frames.phash, bits=params.near_hash, alike=alike),
    }
    verdict.copies = copies(searches, verdict.kept, files.rank[frames.file], area)
    verdict.copies[NEAR][exempt] = -1
    exact = verdict.copies[EXACT]
    exact[exempt & (exact >= 0) & (vetoed[exact] == DROP)] = -1  # takes the place of its vetoed original
    for copy_of in verdict.copies.values():
        verdict.kept = verdict.kept[copy_of[verdict.kept] < 0]

    verdict.drop(verdict.kept[vetoed[verdict.kept] == DROP], VETOED)
    if params.outliers:
        rows = verdict.kept
        features = embed(spool.pictures(frames.place[rows]), len(rows), folder / "features.npy")
        scores = strangeness(features, label[rows], frames.file[rows])
        far = np.flatnonzero((scores > params.outliers) & ~exempt[rows])
        verdict.drop(rows[far], OUTLIER, [f"{scores[row]:.1f} deviations" for row in far])
    return verdict


def _veto_of_frames(frames: Frames, files: Files, vetoes: dict[str, str]) -> np.ndarray:
    """Veto of each frame, "" for none. A line that names a frame overrides one that names its file."""
    result = np.full(len(frames), "", object)
    if not vetoes:
        return result
    numbers = {veto_name(path): number for number, path in enumerate(files.path.to_pylist())}
    unknown = 0
    for name, verdict in sorted(vetoes.items(), key=lambda item: item[0] not in numbers):
        path, _, frame = name.rpartition("#")
        if name in numbers:
            result[frames.file == numbers[name]] = verdict
        elif path in numbers and frame.isdecimal():
            result[(frames.file == numbers[path]) & (frames.frame == int(frame))] = verdict
        else:
            unknown += 1
    if unknown:
        print(f"clean: {unknown} of {len(vetoes)} lines of {VETOES} name no scraped file", file=sys.stderr)
    return result
