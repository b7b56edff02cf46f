"""Words for the directions that creatures can be changed in."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from app.directions import DIRECTIONS, directions
from app.explore import Explorer
from app.networks import RELEASED
from creatures.latents.mixture import Mixture


class Rectangles(nn.Module):
    """Draws rectangles on white: z is how much higher, bluer and paler they are than the one in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.zeros(0))

    def forward(self, z: Tensor) -> Tensor:
        pictures = torch.ones(len(z), 3, 32, 32)
        for picture, (high, blue, pale, *_) in zip(pictures, z.tolist(), strict=True):
            colour = torch.tensor([-0.2 - blue / 10, -0.2, -0.2 + blue / 10]) + pale / 20
            half = round(6 + high)
            picture[:, 16 - half : 16 + half, 13:19] = colour[:, None, None]
        return pictures


def explorer(order: list[int]) -> Explorer:
    """Rectangles whose principal components are the dimensions of z in that order."""
    back = np.eye(4)[order]
    mixture = Mixture(np.ones(1), np.zeros((1, len(order))), np.eye(len(order))[None], np.zeros(4), back)
    return Explorer(Rectangles(), mixture)


@pytest.mark.parametrize(
    ("order", "labels"),
    [
        ([0, 1, 2, 3], ["low – upright", "brown – blue", "dark – pale", "direction 4"]),
        ([2, 3, 0], ["dark – pale", "direction 2", "low – upright"]),
    ],
)
def test_each_gets_the_word_for_what_changes_most(order, labels):
    assert directions(Path("models/gan.safetensors"), explorer(order)) == labels


def test_those_of_the_released_network_are_known():
    assert directions(RELEASED / "gan.safetensors", explorer([0, 1, 2, 3])) == list(DIRECTIONS)
