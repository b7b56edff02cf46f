"""Metrics of colourings. L1 is of pictures in [0, 1]."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from creatures.metrics.defects import defects
from creatures.metrics.features import features
from creatures.metrics.scores import frechet_distance
from creatures.nets.frozen.efficientnet_lite import EfficientNetLite
from creatures.outlines.canny import canny
from creatures.outlines.sketch import silhouette
from creatures.training.device import accelerator
from creatures.translation.palette import palettes_of
from creatures.translation.regions import regions_of

METRIC_NETWORK = 2  # EfficientNet-Lite's variant: not used in this stage's training
APART = 40  # levels of 255 in a channel between different colours
NEAR_PX = 1.5  # pixels at a side of 64, within which lines agree


def l1(fake: np.ndarray, real: np.ndarray) -> float:
    """Mean absolute difference of uint8 pictures, scaled to [0, 1]."""
    return float(np.abs(fake.astype(np.int16) - real).mean() / 255)


def colouring_metrics(fake: np.ndarray, real: np.ndarray, outlines: np.ndarray) -> dict[str, Any]:
    """Metrics of colourings of species that were not trained on.

    `baseline_l1_inside` is the error of the one colour that is best for all foregrounds together,
    `baseline_each_l1_inside` that of each foreground's own best colour, which no outline reveals. `regions` is the
    number of colours that the regions of an outline have, over that of the real pictures. What there is nothing to
    measure on is None.

    Args:
        fake, real: uint8, N x 3 x H x W.
        outlines: those that were coloured, uint8, N x H x W; or pictures, which have no lines to be compared with.
    """
    inside = np.stack([silhouette(np.ascontiguousarray(picture.transpose(1, 2, 0))) for picture in real]).astype(bool)
    error = np.abs(fake.astype(np.int16) - real).mean(1) / 255
    foregrounds = [picture.transpose(1, 2, 0)[mask] for picture, mask in zip(real, inside, strict=True)]
    metrics: dict[str, Any] = {
        "test_l1": mean(error),
        "test_l1_inside": mean(error[inside]),
        "test_l1_outside": mean(error[~inside]),
        "baseline_l1_inside": mean(from_median(np.concatenate(foregrounds)) / 255),
        "baseline_each_l1_inside": mean(np.concatenate([from_median(pixels) for pixels in foregrounds]) / 255),
    }
    metrics |= defects(fake, real)
    if outlines.ndim > 3:
        return metrics
    metrics["edge_agreement"] = float(np.mean([agreement(*pair) for pair in zip(fake, outlines, strict=True)]))
    labels = [regions_of(outline) for outline in outlines]
    counts = [sum(map(colours_of_regions, pictures, labels)) for pictures in (fake, real)]
    metrics["regions"] = counts[0] / counts[1] if counts[1] else None
    return metrics


def feature_metrics(fake: np.ndarray, real: np.ndarray) -> dict[str, Any]:
    """Distances between features of a network that is not used in this stage's training."""
    metric_network = EfficientNetLite(METRIC_NETWORK).to(accelerator().device)
    fake_features, real_features = features(metric_network, fake), features(metric_network, real)
    metrics: dict[str, Any] = {"feature_distance": float(np.linalg.norm(fake_features - real_features, axis=1).mean())}
    if len(fake) > 1:
        metrics["fd"] = frechet_distance(fake_features, real_features)
    return metrics


def palette_distance(fake: np.ndarray, palettes: np.ndarray) -> float:
    """Mean earth mover's distance between the palettes of colourings, uint8 N x 3 x H x W, and those given to them.

    Y. Rubner et al., "The Earth Mover's Distance as a Metric for Image Retrieval", 2000; colours are RGB in [0, 1].

    Args:
        palettes: float32, N x colours x 4.
    """
    own, distances = palettes_of(fake, palettes.shape[1]), []
    for pair in zip(own, palettes, strict=True):
        one, other = (np.ascontiguousarray(np.roll(x[x[:, 3] > 0], 1, axis=1)) for x in pair)
        if len(one) and len(other):
            distances.append(cv2.EMD(one, other, cv2.DIST_L2)[0] / 2)  # they are in [-1, 1]
    return float(np.mean(distances)) if distances else 0.0


def colours_of_regions(picture: np.ndarray, labels: np.ndarray) -> int:
    """Number of different colours, APART levels or more from each other, among the medians of a picture's regions.

    Args:
        picture: uint8, 3 x H x W.
        labels: from `regions_of`.
    """
    found: list[np.ndarray] = []
    for rank in range(1, labels.max() + 1):
        colour = np.median(picture[:, labels == rank], axis=1)
        if all(np.abs(colour - other).max() >= APART for other in found):
            found.append(colour)
    return len(found)


def mean(values: np.ndarray) -> float | None:
    """The mean of all values; None where there are none, such as foregrounds in blank pictures."""
    return float(values.mean()) if values.size else None


def from_median(pixels: np.ndarray) -> np.ndarray:
    """Absolute differences, n x 3, of pixels, uint8 n x 3, from their median, the colour with the least L1."""
    return np.abs(pixels - np.median(pixels, axis=0)) if len(pixels) else np.zeros((0, 3))


def agreement(fake: np.ndarray, outline: np.ndarray) -> float:
    """F1 of the colouring's edges (Canny) and the outline it was made from: 1 where each lies near the other."""
    traced = canny(np.ascontiguousarray(fake.transpose(1, 2, 0)))
    edges, lines = traced == 0, outline == 0
    if not edges.any() or not lines.any():
        return float(edges.any() == lines.any())
    tolerance = NEAR_PX * outline.shape[0] / 64
    to_lines, to_edges = (cv2.distanceTransform((~x).astype(np.uint8), cv2.DIST_L2, 5) for x in (lines, edges))
    precision, recall = (to_lines[edges] <= tolerance).mean(), (to_edges[lines] <= tolerance).mean()
    return float(2 * precision * recall / max(precision + recall, 1e-9))
