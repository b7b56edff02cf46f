"""The documentation as a site: strictly built, with every parameter and the whole library."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from creatures.runtime.config import flat, read_yaml
from tests.support.deps import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Built without a warning: no dead link, no missing anchor."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return folder


def test_every_parameter_is_listed_with_its_default_and_effect(site):
    page = (site / "parameters/index.html").read_text(encoding="utf-8")
    rows = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL) for row in page.split("<tr>")]
    effects = {re.sub("<[^>]*>", "", row[0]): row[3] for row in rows if len(row) == 4}
    assert set(flat(read_yaml(ROOT / "params.yaml"))) <= set(effects)
    assert [key for key, effect in effects.items() if not effect.strip()] == []


def test_pages_link_to_copies_of_what_lies_outside(site):
    assert (site / "metrics/pix2pix/test.png").read_bytes() == (ROOT / "metrics/pix2pix/test.png").read_bytes()
    assert 'src="metrics/pix2pix' not in (site / "index.html").read_text(encoding="utf-8")
    for page in ("index.html", "colouring/index.html", "stages/index.html"):
        text = (site / page).read_text(encoding="utf-8")
        for target in re.findall(r'(?:src|href)="([^"#:]+)["#]', text):
            path = (site / page).parent / target
            assert path.is_file() or (path / "index.html").is_file(), f"{page}: {target}"


def test_the_library_and_questions_are_found_by_search(site):
    found = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))["docs"]
    titles = {entry["title"] for entry in found}
    assert {"Training was interrupted. Is it lost?", "It runs out of memory"} <= titles
    text = " ".join(entry["text"] for entry in found)
    assert "SkipExcitation" in " ".join([text, *titles]) and "gan.penalties.mesh" in text
