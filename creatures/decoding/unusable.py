"""Why a picture is left out."""

from __future__ import annotations

UNDECODABLE, NO_PICTURE, BOMB, BLANK, SMALL = "undecodable", "not a picture", "bomb", "blank", "too small"
EXACT, NEAR = "exact copy", "near copy"
REASONS = (UNDECODABLE, NO_PICTURE, BOMB, BLANK, SMALL, EXACT, NEAR)


class Unusable(Exception):
    """A picture that is dropped: one of the reasons above, and what was found."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
