"""The source `kaggle`: a data set of pictures from Kaggle."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from creatures.runtime.errors import UserError
from stages.scrape.folder import copy_below
from stages.scrape.manifest import Row
from stages.scrape.site import LabelledParams, Site


class KaggleParams(LabelledParams):
    by_folder: ClassVar[bool] = True
    dataset: str = Field(pattern=r"^[\w-]+/[\w-]+$", description="owner/name, as in its address")
    version: int = Field(ge=1, description="which one; its page lists them")
    inside: str = Field("", description="only what lies below this folder of it; labels begin there")


def fetch_dataset(site: Site, params: KaggleParams) -> list[Row]:
    """Fetch a data set through kagglehub, which keeps it in its own cache, and copy it as `folder` does.

    Raises:
        UserError: no network, no permission, no such data set, or no pictures.
    """
    name = f"{params.dataset}/versions/{params.version}"
    root = Path(_download(name), params.inside)
    address = f"kaggle:{name}/{params.inside.strip('/')}".rstrip("/") + "/"
    return copy_below(root, site.out, "kaggle", address, params.most)


def _download(name: str) -> str:
    import kagglehub
    import requests

    try:
        return kagglehub.dataset_download(name)
    except requests.HTTPError as error:
        raise UserError(_explain(name, error.response)) from None
    except requests.RequestException as error:
        raise UserError(f"cannot fetch {name}: no connection to Kaggle ({type(error).__name__})") from None
    except (kagglehub.exceptions.DataCorruptionError, ValueError, OSError) as error:
        raise UserError(f"cannot fetch {name}: {' '.join(str(error).split())}") from None


def _explain(name: str, response: object) -> str:
    status = getattr(response, "status_code", 0)
    if status in (401, 403):
        return f"Kaggle does not give {name} ({status}): set KAGGLE_API_TOKEN, and accept its terms on its page"
    if status == 404:
        return f"Kaggle has no data set {name} (404)"
    return f"cannot fetch {name}: Kaggle answers {status}"
