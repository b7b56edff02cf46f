"""How good colourings are. L1 is of pictures in [0, 1]."""

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

METRIC_NETWORK = 2  # EfficientNet-Lite's variant: here it trains nothing
NEAR_PX = 1.5  # of 64: so near a line counts as the same


def l1(fake: np.ndarray, real: np.ndarray) -> float:
    """Mean absolute difference of uint8 pictures, in [0, 1]."""
    return float(np.abs(fake.astype(np.int16) - real).mean() / 255)


def colouring_metrics(fake: np.ndarray, real: np.ndarray, outlines: np.ndarray) -> dict[str, Any]:
    """All metrics of colourings of species that were not trained on.

    `baseline_l1_inside` is what the one colour has that is best for all foregrounds together,
    `baseline_each_l1_inside` what each one's own best colour has, which no outline tells.

    Args:
        fake, real: uint8, N x 3 x H x W.
        outlines: that were coloured: uint8, N x H x W.
    """
    inside = np.stack([silhouette(np.ascontiguousarray(picture.transpose(1, 2, 0))) for picture in real]).astype(bool)
    apart = np.abs(fake.astype(np.int16) - real).mean(1) / 255
    found: dict[str, Any] = {"test_l1": float(apart.mean())}
    found["test_l1_inside"] = float(apart[inside].mean())
    found["test_l1_outside"] = float(apart[~inside].mean())
    foregrounds = [picture.transpose(1, 2, 0)[mask] for picture, mask in zip(real, inside, strict=True)]
    found["baseline_l1_inside"] = from_median(np.concatenate(foregrounds)).mean() / 255
    found["baseline_each_l1_inside"] = np.concatenate([from_median(pixels) for pixels in foregrounds]).mean() / 255
    metric_network = EfficientNetLite(METRIC_NETWORK).to(accelerator().device)
    of_fake, of_real = features(metric_network, fake), features(metric_network, real)
    found["feature_distance"] = float(np.linalg.norm(of_fake - of_real, axis=1).mean())
    if len(fake) > 1:
        found["fd"] = frechet_distance(of_fake, of_real)
    found |= defects(fake, real)
    found["edge_agreement"] = float(np.mean([agreement(*pair) for pair in zip(fake, outlines, strict=True)]))
    return found


def from_median(pixels: np.ndarray) -> np.ndarray:
    """How far pixels, uint8 n x 3, are from the one colour that is best for all of them, their median: n x 3."""
    return np.abs(pixels - np.median(pixels, axis=0)) if len(pixels) else np.zeros((0, 3))


def agreement(fake: np.ndarray, outline: np.ndarray) -> float:
    """F1 of the colouring's edges (Canny) and the outline it was made from: 1 where each lies near the other."""
    edges = canny(np.ascontiguousarray(fake.transpose(1, 2, 0)))
    drawn, asked = edges == 0, outline == 0
    if not drawn.any() or not asked.any():
        return float(drawn.any() == asked.any())
    near = NEAR_PX * outline.shape[0] / 64
    to_asked, to_drawn = (cv2.distanceTransform((~x).astype(np.uint8), cv2.DIST_L2, 5) for x in (asked, drawn))
    precision, recall = (to_asked[drawn] <= near).mean(), (to_drawn[asked] <= near).mean()
    return float(2 * precision * recall / max(precision + recall, 1e-9))
