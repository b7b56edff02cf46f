"""Penalty on foregrounds that fall into disconnected pieces."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from creatures.metrics.defects import APART, LEAST, pieces_of
from creatures.training.distributed import all_reduce_mean


class Pieces:
    """How far pictures are from being in one piece: mean over pictures, 0-d, in [0, 2].

    Each piece but a picture's largest is to be joined to it by a thin bridge in the piece's colour or, where the gap is
    wide for its size, to fade into the background. The penalty is the distance in colour of these pixels from that,
    regardless of how many they are: a speck is as visible as a hand detached from its arm. 0 while, as moving averages,
    fakes are in pieces no more often than real pictures. Only the colour of these pixels has a gradient, not their
    choice. Joining and removing components, whichever is less of a change, is what persistent homology does, too
    (J. Clough et al., "A Topological Loss Function for Deep-Learning Based Image Segmentation", 2020).
    """

    DECAY = 0.98

    def __init__(self) -> None:
        self.averages: Tensor | None = None  # fractions of real and of fake pictures that are in pieces, (2,)

    def __call__(self, real: Tensor, fake: Tensor) -> Tensor:
        """The penalty for pictures, float N x 3 x H x W in [-1, 1]."""
        apart_real, repairs = (repairs_of(contrast(x.detach())) for x in (real, fake))
        in_pieces = [(x >= 0).flatten(1).any(1).float().mean() for x in (apart_real, repairs)]
        means = all_reduce_mean(torch.stack(in_pieces))
        self.averages = means if self.averages is None else self.averages.to(means.device).lerp(means, 1 - self.DECAY)
        x = fake.float()
        colours = torch.cat([x.flatten(2), background(x)[:, :, None]], 2).detach()
        wanted = colours.gather(2, repairs.clamp(min=0).flatten(1)[:, None].expand(-1, 3, -1)).view_as(x)
        mask = repairs >= 0
        distance = ((x - wanted).abs().amax(1) * mask).sum((1, 2)) / mask.sum((1, 2)).clamp(min=1)
        return distance.mean() * (self.averages[1] > self.averages[0])

    def state_dict(self) -> dict[str, Tensor | None]:
        return {"averages": self.averages}

    def load_state_dict(self, state: dict[str, Tensor | None]) -> None:
        self.averages = state["averages"]


def background(pictures: Tensor) -> Tensor:
    """Median colour of the border: N x 3 of N x 3 x H x W."""
    x = pictures
    return torch.cat([x[:, :, 0], x[:, :, -1], x[:, :, :, 0], x[:, :, :, -1]], dim=2).median(2).values.detach()


def contrast(pictures: Tensor) -> Tensor:
    """Contrast of pixels with the background, in the channel that differs most.

    Args:
        pictures: float N x 3 x H x W in [-1, 1].

    Returns:
        float32 N x H x W in [0, 2].
    """
    x = pictures.float()
    return (x - background(x)[:, :, None, None]).abs().amax(1)


def repairs_of(contrasts: Tensor) -> Tensor:
    """For each pixel, the one whose colour it should take for the picture to be in one piece, counted as in
    `one_piece`: int64 N x H x W, row by row from 0; H W for the background, -1 for a pixel that may stay as it is.
    """
    inks = (contrasts > APART / 127.5).cpu().numpy().astype(np.uint8)
    return torch.from_numpy(np.stack([repair(ink) for ink in inks])).to(contrasts.device)


def repair(ink: np.ndarray) -> np.ndarray:
    """`repairs_of` of one picture: int64 H x W of its ink, uint8 H x W of 0 and 1."""
    found = np.full(ink.size, -1)
    labels, sizes = pieces_of(ink)
    counted = 1 + np.flatnonzero(sizes >= LEAST)
    if len(counted) > 1:
        main = 1 + sizes.argmax()
        rest = (labels != main).astype(np.uint8)
        distances, nearest = cv2.distanceTransformWithLabels(rest, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        for label in counted[counted != main]:
            piece = np.flatnonzero(labels == label)
            end = piece[distances.flat[piece].argmin()]
            start = np.flatnonzero((labels == main) & (nearest == nearest.flat[end]))[0]
            bridge = line(start, end, ink.shape) & (ink.ravel() == 0)
            if bridge.sum() ** 2 < len(piece):  # it would be as wide as long, if drawn by hand
                found[bridge] = end
            else:
                found[piece] = ink.size
    return found.reshape(ink.shape)


def line(start: int, end: int, shape: tuple[int, ...]) -> np.ndarray:
    """Flat bool mask of the pixels on the line between two, which are counted row by row."""
    mask = np.zeros(shape, np.uint8)
    (top, left), (bottom, right) = (divmod(int(pixel), shape[1]) for pixel in (start, end))
    return cv2.line(mask, (left, top), (right, bottom), 1).ravel() > 0
