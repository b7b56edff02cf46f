"""Samples against real pictures, on one feature network."""

from __future__ import annotations

import numpy as np

from creatures.metrics.scores import frechet_distance, kid, memorised, precision_recall_density_coverage


def compare(real: dict[str, np.ndarray], fake: np.ndarray, pretrained: np.ndarray) -> dict[str, float | None]:
    """All metrics of evaluate.json for one network.

    Args:
        real: features of the real pictures by split; `val` or `test` may be empty;
            metrics for which there are too few pictures are None.
        fake: features of samples of the GAN.
        pretrained: features of samples of the pretrained generator.
    """
    train, val, test = real["train"], real["val"], real["test"]
    metrics: dict[str, float | None] = {}
    metrics["kid"], metrics["kid_std"] = kid(fake, val)
    metrics["kid_floor"] = kid(train, val)[0]
    metrics["kid_pretrained"] = kid(pretrained, val)[0]
    metrics["kid_train"] = kid(fake, train)[0]
    metrics["kid_test"] = kid(fake, test)[0]
    metrics["fd"] = frechet_distance(fake, train)
    metrics["fd_val"] = frechet_distance(fake, val)
    metrics["fd_test"] = frechet_distance(fake, test)
    metrics |= precision_recall_density_coverage(fake, train)
    metrics["memorised"] = memorised(fake, test, train) if len(test) else None
    return metrics
