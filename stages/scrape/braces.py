"""Names with braces, such as shards-{000..009}.tar."""

from __future__ import annotations

from creatures.runtime.errors import UserError


def expanded(pattern: str) -> list[str]:
    """The names that a pattern stands for, as a shell would expand it, each of them once.

    Raises:
        UserError: a brace is missing.
    """
    from braceexpand import UnbalancedBracesError, braceexpand  # type: ignore[attr-defined]

    try:
        return list(dict.fromkeys(braceexpand(pattern)))
    except UnbalancedBracesError:
        raise UserError(f"{pattern}: a brace is missing; write a brace that is meant itself as \\{{") from None
