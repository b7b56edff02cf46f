"""Metrics of quality, diversity and novelty, from feature vectors (float32, N x D)."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import torch
from prdc import compute_prdc
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

from creatures.metrics.nearest import nearest

KID_SUBSETS, KID_SUBSET = 100, 500
PRDC_NEIGHBOURS = 5
PRDC = ("precision", "recall", "density", "coverage")


def kid(fake: np.ndarray, real: np.ndarray) -> tuple[float, float] | tuple[None, None]:
    """Kernel Inception Distance and its standard deviation over subsets.

    M. Bińkowski et al., "Demystifying MMD GANs", 2018, with the given features in
    Inception's place. Subsets of 500, or of the smaller set's length. None if a set has fewer than two.
    """
    if min(len(fake), len(real)) < 2:
        return None, None
    metrics = kid_features_to_metric(
        torch.from_numpy(fake),
        torch.from_numpy(real),
        kid_subsets=KID_SUBSETS,
        kid_subset_size=min(KID_SUBSET, len(fake), len(real)),
        rng_seed=0,
        verbose=False,
    )
    return metrics["kernel_inception_distance_mean"], metrics["kernel_inception_distance_std"]


def frechet_distance(fake: np.ndarray, real: np.ndarray) -> float | None:
    """Fréchet distance of two Gaussians fitted to the features. M. Heusel et al., 2017, eq. 6. None if a set has
    fewer than two.
    """
    if min(len(fake), len(real)) < 2:
        return None
    statistics = [fid_features_to_statistics(torch.from_numpy(x.astype(np.float64))) for x in (fake, real)]
    return fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]


def precision_recall_density_coverage(fake: np.ndarray, real: np.ndarray) -> dict[str, float | None]:
    """M. F. Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models", 2020, k = 5, or fewer if
    a set has fewer than seven; None if it has fewer than three.
    """
    neighbours = min(PRDC_NEIGHBOURS, len(real) - 2, len(fake) - 2)
    if neighbours < 1:
        return dict.fromkeys(PRDC)
    with contextlib.redirect_stdout(io.StringIO()):
        metrics = compute_prdc(real, fake, neighbours)
    return {name: float(metrics[name]) for name in PRDC}


def memorised(fake: np.ndarray, unseen: np.ndarray, train: np.ndarray) -> float:
    """Fraction of fakes closer to a train picture than all but 1 % of unseen real pictures are.

    0.01 is chance; a generator that repeats its train set approaches 1.
    """
    threshold = np.quantile(nearest(unseen, train)[0], 0.01)
    return float((nearest(fake, train)[0] < threshold).mean())
