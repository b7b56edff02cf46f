"""The page without a server, of small networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.web import build as web
from tests.support.untrained import write_run


def write_page(folder: Path) -> Path:
    """Write a run to a folder, and its page, without onnxruntime-web, to one in it; returns that of the page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_run()
        patch.setattr(web, "fetch_runtime", Path.mkdir)
        (page,) = web.build(folder / "site")
    return page.parent
