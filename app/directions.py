"""Words for what changes along the first principal components of a mixture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.explore import Explorer
from app.networks import is_released
from creatures.data.tensors import to_float
from creatures.metrics.defects import APART, contrast

# of the released mixture, by looking at what changes from -3 to 3 deviations
DIRECTIONS = ("slim – bulky", "upright – low", "dark – pale", "blue – brown")
FAR = 3  # deviations to both sides
CREATURES = 16  # to measure a change on
LEAST = 1e-3  # deviation among creatures, in a property's unit
CLEAR = 0.5  # deviations among creatures: a smaller change has no word
PROPERTIES = ("small – large", "low – upright", "dark – pale", "grey – colourful", "blue – brown", "purple – green")


def directions(network: Path, explorer: Explorer) -> list[str]:
    """Labels of the directions that a generator's creatures can be changed in, from low to high: its first principal
    components.

    Those of the released network are there already; for others, each gets the property of `properties` that changes
    most along it, in standard deviations among creatures. No two get the same one.
    """
    if is_released(network):
        return list(DIRECTIONS)
    embeddings, _ = explorer.mixture.sample(CREATURES, np.random.default_rng(0))
    count = min(len(DIRECTIONS), len(explorer.mixture.back))

    def steered(amounts: np.ndarray) -> np.ma.MaskedArray:
        return np.ma.masked_invalid(properties(explorer.draw(explorer.steered(embeddings, list(amounts)))))

    spread = np.maximum(steered(np.zeros(count)).std(axis=0), LEAST)
    differences = [(steered(far) - steered(-far)).mean(axis=0) for far in FAR * np.eye(count)]
    changes = np.array([(difference / spread).filled(0) for difference in differences])
    labels = [f"direction {n + 1}" for n in range(count)]
    while (largest := np.abs(changes).max()) > CLEAR:  # of directions x properties
        n, which = np.argwhere(np.abs(changes) == largest)[0]
        low, high = PROPERTIES[which].split(" – ")
        labels[n] = f"{low} – {high}" if changes[n, which] > 0 else f"{high} – {low}"
        changes[n], changes[:, which] = 0, 0
    return labels


def properties(pictures: np.ndarray) -> np.ndarray:
    """PROPERTIES of foregrounds, float64 N x P, higher for the second word; NaN where there is no foreground.

    Fraction of the picture; logarithm of height over width, as standard deviations; mean brightness and saturation of
    its pixels, 0 to 255; mean difference of red and blue, and of green and the mean of both.

    Args:
        pictures: uint8 N x 3 x H x W.
    """
    found = np.full((len(pictures), len(PROPERTIES)), np.nan)
    foregrounds = contrast(to_float(pictures)).numpy() > APART / 127.5
    for picture, ink, row in zip(pictures, foregrounds, found, strict=True):
        if not ink.any():
            continue
        y, x = np.nonzero(ink)
        red, green, blue = colours = picture[:, ink].astype(np.float64)
        saturation = colours.max(0) - colours.min(0)
        shape = np.log((y.std() + 1) / (x.std() + 1))
        rest = [part.mean() for part in (colours, saturation, red - blue, green - (red + blue) / 2)]
        row[:] = ink.mean(), shape, *rest
    return found
