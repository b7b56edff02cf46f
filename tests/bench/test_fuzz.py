"""Damaged pictures, a few of those of `bench.fuzz`."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from pathlib import Path

from bench.fuzz import damaged, drawn, outcome, survey

COUNT, SEED = 1000, 1


def test_damages_end_in_pictures_or_one_line_without_warnings(tmp_path):
    files = [data for data in drawn() if outcome(data, tmp_path / "part")[0] == "pictures"]
    assert len(files) > 30
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        outcomes = [outcome(damaged(files, number, SEED), tmp_path / "part") for number in range(COUNT)]
    assert not warned
    counts = Counter(kind for kind, _ in outcomes)
    assert set(counts) == {"pictures", "refused"} and min(counts.values()) > COUNT // 10
    assert all(details and "\n" not in details for kind, details in outcomes if kind == "refused")


def fragile(data: bytes, part: Path) -> tuple[str, str]:
    """A decoder that is lost with every file that begins with b."""
    if data.startswith(b"b"):
        os._exit(3)
    return "pictures", ""


def test_lost_processes_are_findings_and_the_rest_is_still_decoded(tmp_path):
    files = [b"a" * 90, b"b" * 90]
    begins = ["lost" if damaged(files, number, SEED).startswith(b"b") else "pictures" for number in range(12)]
    outcomes = survey(files, 12, SEED, tmp_path / "part", fragile)
    assert [kind for kind, _ in outcomes] == begins and begins.count("lost") > 2
    assert ("lost", "the process ended with 3") in outcomes
