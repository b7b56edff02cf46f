"""Wrongly labelled pictures that `clean.outliers` finds, and right ones that it drops as well.

    python -m bench.outliers [--pictures N] [--wrong 100] [--seeds 3]

Takes the pictures of data/clean, gives some of their files labels of others at random, and prints, for strengths,
the share of those dropped that were wrong (precision) and of the wrong that were dropped (recall).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from creatures.artifacts import CLEAN
from creatures.data.pictures import open_pictures
from stages.clean.outliers import FEWEST, embed, strangeness

STRENGTHS = (2.0, 3.0, 4.0, 5.0, 6.0)


def whole_labels(labels: np.ndarray, count: int) -> np.ndarray:
    """Rows of about `count` pictures: all pictures of some of the labels."""
    total, rows = 0, []
    for name in np.random.default_rng(0).permutation(np.unique(labels)):
        if total < count:
            rows.append(np.flatnonzero(labels == name))
            total += len(rows[-1])
    return np.sort(np.concatenate(rows))


def score(features: np.ndarray, labels: np.ndarray, files: np.ndarray, wrong: int, seed: int) -> np.ndarray:
    """Counts by strength: dropped, wrong ones dropped, all wrong ones, dropped if all labels are right."""
    random = np.random.default_rng(seed)
    mixed = labels.copy()
    for file in random.choice(np.unique(files), wrong, replace=False):
        own = labels[files == file][0]
        mixed[files == file] = random.choice(np.unique(labels[labels != own]))
    noisy, clean, moved = strangeness(features, mixed, files), strangeness(features, labels, files), mixed != labels
    return np.array([[(noisy > s).sum(), (noisy[moved] > s).sum(), moved.sum(), (clean > s).sum()] for s in STRENGTHS])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=CLEAN)
    parser.add_argument("--pictures", type=int, help="only about so many of them")
    parser.add_argument("--wrong", type=int, default=100, help="files that get another label")
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()

    pictures = open_pictures(args.data)
    labels = pictures.column("species").astype(str).astype(object)
    rows = whole_labels(labels, args.pictures or len(labels))
    labels, files = labels[rows], np.unique(pictures.column("source")[rows].astype(str), return_inverse=True)[1]
    with TemporaryDirectory() as folder:
        chunks = (pictures.images[part] for part in np.array_split(rows, -(-len(rows) // 512)))
        features = embed(chunks, len(rows), Path(folder) / "features.npy")
        counts = sum(score(features, labels, files, args.wrong, seed) for seed in range(args.seeds)) / args.seeds
    small = [name for name in np.unique(labels) if len(np.unique(files[labels == name])) < FEWEST]
    print(f"{len(rows):,} pictures, {np.isin(labels, small).sum()} in labels that are too small to say")
    print(f"{args.wrong} files with another's label")
    for strength, (dropped, right, moved, before) in zip(STRENGTHS, counts, strict=True):
        precision, recall = right / max(dropped, 1), right / moved
        share = before / len(rows)
        print(f"{strength}: precision {precision:.2f}, recall {recall:.2f}; with right labels {share:.1%} dropped")


if __name__ == "__main__":
    main()
