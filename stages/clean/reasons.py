"""Reasons why `clean` drops a picture: it cannot be read, is a copy, or is not wanted."""

from __future__ import annotations

from creatures.decoding.unusable import REASONS as UNUSABLE
from stages.clean.upright import TESTS

OUTLIER, VETOED = "outlier", "vetoed"
REASONS = (*UNUSABLE, *TESTS, OUTLIER, VETOED)
