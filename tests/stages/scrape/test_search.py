"""Picture search, by an engine that answers as DuckDuckGo does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from creatures.runtime.errors import UserError
from stages.scrape.search import SearchParams, fetch_found
from tests.support.site_server import Answer, Asked, Serve, SiteServer, as_json


@pytest.fixture
def engine(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Serve:
    from ddgs.engines.duckduckgo_images import DuckduckgoImages

    def start(answer: Callable[[Asked], Answer]) -> SiteServer:
        server = serve(answer)
        monkeypatch.setattr(DuckduckgoImages, "search_url", f"{server.url}/i.js")
        monkeypatch.setattr(DuckduckgoImages, "_get_vqd", lambda self, query: "4-1234")
        return server

    return start


def results(asked: Asked) -> Answer:
    """Three a page, two pages, for mew; the second page repeats one of the first."""
    first = int(asked.query.get("s", 0)) // 100 * 2
    found = [
        {
            "title": f"Mew {i}",
            "image": f"https://pictures.example.org/{i}.png",
            "url": f"https://example.org/{i}",
            "thumbnail": f"https://thumbs.example.org/{i}",
            "height": 400,
            "width": 300,
            "source": "Bing",
        }
        for i in range(first, first + 3)
    ]
    return as_json({"results": found if "mew" in asked.query["q"] and first < 4 else [], "next": "i.js?q=x"})


def test_search_asks_for_each_label_safely_and_hands_over_what_it_finds(engine, site, asked_for):
    server = engine(results)
    params = SearchParams(labels=["mew", "missingno"], query="{label} pokemon artwork", most=4)
    (missed,) = fetch_found(site, params)
    assert {(w.url, w.label, w.licence, w.source) for w in asked_for} == {
        (
            f"https://pictures.example.org/{i}.png",
            "mew",
            f"unknown; found on https://example.org/{i}",
            "search",
        )
        for i in range(4)
    }
    assert len(asked_for) == 4
    assert {a.query["q"] for a in server.asked} == {"mew pokemon artwork", "missingno pokemon artwork"}
    assert {a.query["p"] for a in server.asked} == {"1"}  # safe search
    assert (missed.label, missed.status, missed.reason) == ("missingno", "failed", "none found")


def test_a_search_that_finds_nothing_at_all_is_one_line(engine, site, asked_for):
    engine(lambda asked: Answer(b"blocked", 403))
    with pytest.raises(UserError, match="the search found no pictures") as error:
        fetch_found(site, SearchParams(labels=["mew"]))
    assert "\n" not in str(error.value)
