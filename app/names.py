"""Names of species."""

from __future__ import annotations


def named(species: str) -> str:
    """What a species is called: its number and name, where the default pictures number them."""
    return species
