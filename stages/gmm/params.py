"""The `gmm` section of params.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from creatures.runtime.config import Section


class GmmParams(Section):
    components: Literal["auto"] | Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, lt=1)] = Field(
        description="below 1: times the number of pictures of train, at most 100; auto picks by held-out log-likelihood"
    )
    covariance: Literal["full", "tied", "diag", "spherical"]
    regularisation: float = Field(gt=0, description="added to the diagonal of covariances")
    pca_dims: int = Field(ge=0, description="whitening PCA first, to so many dimensions; 0: none")
