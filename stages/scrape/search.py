"""The source `search`: what a picture search finds for each label."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field, field_validator

from creatures.runtime.errors import UserError
from stages.scrape.fetch import fetch_pictures, pause
from stages.scrape.manifest import Row, failed
from stages.scrape.site import Site, SourceParams
from stages.scrape.web.download import Wanted

# The one picture engine of ddgs that passes safe search on; Bing's drops it
ENGINE = "duckduckgo"


class SearchParams(SourceParams):
    labels: list[str] = Field(min_length=1, description="each is searched for, and labels what is found")
    query: str = Field("{label}", description="what is asked; {label} stands for the label")
    most: int = Field(50, ge=1, le=1000, description="at most so many pictures a label")

    @field_validator("query")
    @classmethod
    def _says_label(cls, value: str) -> str:
        if "{label}" not in value:
            raise ValueError("must hold {label}, such as '{label} pokemon artwork'")
        return value


def fetch_found(site: Site, params: SearchParams) -> list[Row]:
    """Search for each label through ddgs, safe search on, and download what is found.

    Returns:
        A row per picture, and a failed one for each label without results.

    Raises:
        UserError: no label has results.
    """
    wanted: list[Wanted] = []
    missed: list[Row] = []
    reason = ""
    for label in params.labels:
        query = params.query.replace("{label}", label)
        results, why = _search(query, params.most, site)
        wanted += [Wanted(url, label, f"unknown; found on {page}", "search") for url, page in results]
        if not results:
            reason = reason or why
            missed.append(Row(f"search/{label}", label, "search", f"search:{query}", "unknown", **failed("none found")))
    if not wanted:
        raise UserError(f"the search found no pictures: {reason}")
    return fetch_pictures(wanted, site) + missed


def _search(query: str, most: int, site: Site) -> tuple[list[tuple[str, str]], str]:
    """(picture, page) addresses of at most `most` pictures, and the error that ended the search, if any."""
    pages: dict[str, str] = {}
    why = ""
    for page in range(1, most + 1):
        pause(site)
        try:
            new = {url: where for url, where in _page(query, page) if url not in pages}
        except RuntimeError as error:
            why = str(error)
            break
        if not new:
            break
        pages |= new
        if len(pages) >= most:
            break
    return list(pages.items())[:most], why


def _page(query: str, page: int) -> Iterator[tuple[str, str]]:
    from ddgs import DDGS
    from ddgs.exceptions import DDGSException

    try:
        results = DDGS(timeout=20).images(query, safesearch="on", backend=ENGINE, page=page, max_results=None)
    except DDGSException as error:
        raise RuntimeError(" ".join(str(error).split())[:200]) from None
    return ((result["image"], result.get("url", "")) for result in results if result.get("image"))
