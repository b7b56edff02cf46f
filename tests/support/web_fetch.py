"""Fixtures of the downloader: a server that answers as sites do, and a way to fetch from it."""

from __future__ import annotations

import pytest

from stages.scrape.manifest import Row
from stages.scrape.web import retry
from stages.scrape.web.download import Wanted, download
from stages.scrape.web.guard import LOOPBACK
from stages.scrape.web.params import WebParams
from tests.support.web_server import web_server

QUICK = WebParams(per_second=0, timeout_s=120, retries=1, max_bytes=50_000)


@pytest.fixture
def server(monkeypatch):
    with web_server() as running:
        monkeypatch.setenv(LOOPBACK, str(running.port))
        monkeypatch.setattr(retry, "FIRST_S", 0.01)
        yield running


@pytest.fixture
def fetch(tmp_path):
    """Downloads addresses, into a fresh folder each time; the store stays."""

    def run(*wanted: str | Wanted, params: WebParams = QUICK, out: str = "out") -> list[Row]:
        listed = [Wanted(item) if isinstance(item, str) else item for item in wanted]
        return download(listed, tmp_path / out, params, tmp_path / "store")

    return run


def reasons(rows: list[Row]) -> list[str]:
    return [row.reason or row.status for row in rows]
