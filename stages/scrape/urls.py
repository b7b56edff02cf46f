"""The source `urls`: a list of addresses."""

from __future__ import annotations

from pydantic import Field

from stages.scrape.manifest import Row
from stages.scrape.site import Site, SourceParams


class UrlsParams(SourceParams):
    path: str = Field("data/urls.txt", min_length=1, description="a .txt, .csv or .parquet file")
    url: str = Field("url", min_length=1, description="the column of addresses")
    label: str = Field("label", description="the column of labels; '' for none")
    licence: str = Field("licence", description="the column of licences; '' for none")


def fetch_urls(site: Site, params: UrlsParams) -> list[Row]:
    """Fetch the pictures that a list names.

    A .txt file holds an address a line; the others have columns, of which only the one of
    addresses must be there.

    Raises:
        UserError: there is no such file, it cannot be read, it has no such column, or nothing
            on it could be fetched.
    """
    raise NotImplementedError
