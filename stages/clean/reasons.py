"""Why `clean` leaves a picture out: what cannot be read, what is there already, what was not asked for."""

from __future__ import annotations

from creatures.decoding.unusable import REASONS as UNUSABLE
from stages.clean.upright import TESTS

OUTLIER, VETOED = "outlier", "vetoed"
REASONS = (*UNUSABLE, *TESTS, OUTLIER, VETOED)
