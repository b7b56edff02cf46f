"""The benchmark of the page without a server."""

from __future__ import annotations

import pytest

from app.web.build import build
from bench import web
from bench.browser import CHROMIUM
from tests.support.untrained import write_run


@pytest.mark.network
@pytest.mark.skipif(not CHROMIUM, reason="there is no chromium")
def test_sizes_times_and_differences_are_measured(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_run()
    monkeypatch.setattr(web, "COLOURINGS", 2)
    (page,) = build(tmp_path / "site")
    found = web.measure(page.parent)
    assert 1e6 < found["bytes_compressed"] < found["bytes"]
    assert found["ms_to_first_creature"] > 0 and found["ms_a_colouring"] > 0
    assert found["most_levels_apart"] <= 2
