"""Fit the mixture: whitening PCA, then scikit-learn's GaussianMixture, in float64."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from creatures.latents.mixture import Mixture
from creatures.runtime.errors import UserError
from stages.gmm.params import GmmParams

CANDIDATES = (1, 2, 5, 10, 20, 40, 80)
HELD_OUT = 0.2
ALIVE = 1e-4
MOST_BY_FRACTION = 100  # components, each of which is 32 KB in 64 dimensions


def fit_pca(embeddings: np.ndarray, dims: int) -> PCA | None:
    """Fit a whitening PCA; None if `dims` is 0 or there are too few pictures for one dimension."""
    dims = min(dims, len(embeddings) - 1, embeddings.shape[1])
    return PCA(dims, whiten=True, svd_solver="full").fit(embeddings) if dims else None


def fit_gmm(points: np.ndarray, components: int, p: GmmParams, seed: int) -> GaussianMixture:
    """Fit one mixture. Raises UserError where scikit-learn cannot."""
    model = GaussianMixture(
        components, covariance_type=p.covariance, reg_covar=p.regularisation, max_iter=100, random_state=seed
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(points)
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{components} components do not fit {len(points)} pictures ({reason})") from None


def component_count(points: np.ndarray, sources: np.ndarray, p: GmmParams, seed: int) -> tuple[int, dict[int, float]]:
    """The number of components that the parameters ask for, and what `choose` tried, if it is left to it."""
    if p.components == "auto":
        return choose(points, sources, p, seed)
    if p.components < 1:
        return min(max(1, int(p.components * len(points))), MOST_BY_FRACTION), {}
    return int(p.components), {}


def choose(points: np.ndarray, sources: np.ndarray, p: GmmParams, seed: int) -> tuple[int, dict[int, float]]:
    """The number of components with the best log-likelihood on held-out files.

    Pictures of one file are held out together, since frames of one animation are alike.

    Returns:
        the number, and the held-out log-likelihood per dimension for each number tried.
    """
    files = np.unique(sources)
    held_files = np.random.default_rng(seed).choice(files, max(1, int(len(files) * HELD_OUT)), replace=False)
    held_out = np.isin(sources, held_files)
    tried: dict[int, float] = {}
    for components in CANDIDATES:
        if components * 2 > (~held_out).sum():
            break
        score = float(fit_gmm(points[~held_out], components, p, seed).score(points[held_out])) / points.shape[1]
        print(f"gmm: {components} components, {score:.4f} a dimension on held-out files", flush=True)
        tried[components] = score
        if score < max(tried.values()) - 0.2:  # well past the best
            break
    if not tried:  # too few pictures to hold any out
        return 1, {}
    return max(tried, key=lambda k: tried[k]), tried


def to_mixture(model: GaussianMixture, pca: PCA | None, embedding_dim: int) -> Mixture:
    """Convert a fitted mixture to the sampler's form."""
    count, dims = model.means_.shape
    covariances = {
        "full": lambda: model.covariances_,
        "tied": lambda: np.broadcast_to(model.covariances_, (count, dims, dims)),
        "diag": lambda: np.stack([np.diag(v) for v in model.covariances_]),
        "spherical": lambda: np.stack([np.eye(dims) * v for v in model.covariances_]),
    }[model.covariance_type]()
    if pca is None:
        centre, back = np.zeros(embedding_dim), np.eye(embedding_dim)
    else:
        centre, back = pca.mean_, pca.components_ * np.sqrt(pca.explained_variance_)[:, None]
    return Mixture(model.weights_, model.means_, np.linalg.cholesky(covariances), centre, back)
