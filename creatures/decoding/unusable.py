"""Reasons to leave a picture out."""

from __future__ import annotations

UNDECODABLE, NO_PICTURE, BOMB, BLANK, SMALL = "undecodable", "not a picture", "bomb", "blank", "too small"
AS_BACKGROUND = "as its background"  # detail of BLANK: a figure of the very colour that it is put on
HEIC = "HEIC: install pillow-heif to read it"  # detail of UNDECODABLE
EXACT, NEAR = "exact copy", "near copy"
REASONS = (UNDECODABLE, NO_PICTURE, BOMB, BLANK, SMALL, EXACT, NEAR)


class Unusable(Exception):
    """Raised for a picture that is to be dropped: one of REASONS, and a detail."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
