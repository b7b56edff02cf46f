"""Pictures that are far from all others of their label, in EfficientNet-Lite0's features."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

K = 3  # neighbours at least ...
K_SHARE = 0.05  # ... or this fraction of a large label, so that a few similar wrong pictures do not hide each other
FEWEST = K + 2  # files of a label, at least: with fewer, one wrong file would be a neighbour of all others
SAMPLE = 10_000  # pictures, at most, among which a label's neighbours are searched
BATCH = 1024  # rows compared at once, which bounds memory
TO_DEVIATION = 1.4826  # standard deviation of a normal distribution, in median absolute deviations


def embed(chunks: Iterable[np.ndarray], count: int, path: Path) -> np.ndarray:
    """EfficientNet-Lite0's features of pictures, each of length 1: float16, count x 1280, memory-mapped.

    Args:
        chunks: uint8, n x 3 x px x px each.
        count: pictures in all.
        path: the file they are written to.
    """
    import torch

    from creatures.metrics.features import features
    from creatures.nets.frozen.efficientnet_lite import EfficientNetLite
    from creatures.runtime.atomic import preallocate

    net = EfficientNetLite(0).to("cuda" if torch.cuda.is_available() else "cpu")
    embeddings = preallocate(path, np.float16, (count, 1280))
    done = 0
    for chunk in chunks:
        rows = features(net, chunk)
        embeddings[done : done + len(chunk)] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        done += len(chunk)
    return embeddings


def strangeness(features: np.ndarray, labels: np.ndarray, files: np.ndarray) -> np.ndarray:
    """Distance of each picture from its label: float32, N, in deviations above the median of all; 0 in small labels.

    The mean cosine distance to its nearest neighbours of the label, except frames of the same file (Angiulli and
    Pizzuti, "Fast Outlier Detection in High Dimensional Spaces", 2002; among a sample: Sugiyama and Borgwardt, "Rapid
    Distance-Based Outlier Detection via Sampling", 2013), minus the median of all, divided by their median absolute
    deviation (Leys et al., "Detecting outliers", 2013). Pictures without a label form one cluster, and are
    standardised separately.

    Args:
        features: float, N x D, each of length 1; perhaps on disk.
        labels: N names, "" for none.
        files: int, N, the file that a picture came from.
    """
    distances = np.full(len(labels), np.nan, np.float32)
    names, group = np.unique(labels.astype(str), return_inverse=True)
    order = np.argsort(group, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(group, minlength=len(names)))[:-1]):
        if len(np.unique(files[rows])) >= FEWEST:
            distances[rows] = _to_nearest(features, rows, files)
    has_label = labels != ""
    result = np.zeros(len(labels), np.float32)
    for part in (has_label, ~has_label):
        part = part & np.isfinite(distances)
        result[part] = _deviations(distances[part])
    return result


def _deviations(values: np.ndarray) -> np.ndarray:
    if not len(values):
        return values
    above = values - np.median(values)
    return above / max(TO_DEVIATION * float(np.median(np.abs(above))), 1e-6)


def _to_nearest(features: np.ndarray, rows: np.ndarray, files: np.ndarray) -> np.ndarray:
    """Mean cosine distance of each of `rows` to its nearest neighbours from other files, among a sample of `rows`."""
    sample = rows[np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE)).astype(int)]
    candidates = len(sample) - np.unique(files[sample], return_counts=True)[1].max()  # that every picture has at least
    k = min(max(K, int(K_SHARE * len(sample))), int(candidates))
    sample_features = features[sample].astype(np.float32)
    parts = []
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        similarity = features[batch].astype(np.float32) @ sample_features.T
        similarity[files[batch][:, None] == files[sample]] = -np.inf
        parts.append(1 - np.partition(similarity, -k, axis=1)[:, -k:].mean(axis=1))
    return np.concatenate(parts)
