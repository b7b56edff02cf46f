"""The tables of docs/QUALITY.md."""

from __future__ import annotations

import pytest

from bench.report import COLUMNS, filled, read_runs
from tests.support.deps import ROOT


def run(recipe: str, **values: float) -> dict:
    kept = {"recipe": recipe, "seed": 0, "asked": 20.0, "threads": 1, "params": "a", "minutes": 20.2, "kimg": 21.4}
    return kept | dict.fromkeys(COLUMNS, 0.5) | values


@pytest.mark.parametrize(
    ("document", "folder"),
    [
        ("docs/QUALITY.md", "docs/quality"),
        *((f"docs/quality/{x}/README.md", f"docs/quality/{x}") for x in ("avx2", "openmoji", "twemoji")),
    ],
)
def test_documents_have_the_figures_of_their_runs(document, folder):
    text = (ROOT / document).read_text(encoding="utf-8")
    assert text == filled(text, read_runs(ROOT / folder / "results.jsonl"))


def test_tables_are_filled_with_means_best_first():
    runs = [run("a", kid_lite1=0.3), run("b", kid_lite1=0.1), run("b", kid_lite1=0.3), run("b", asked=60.0)]
    text = filled("before\n<!-- runs 20 1 a b -->\nold\n<!-- end -->\nafter\n", runs)
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert [row.split(" | ")[:6] for row in rows] == [
        ["| `b`", "20.2", "1", "2", "21", "0.200 ± 0.141"],
        ["| `a`", "20.2", "1", "1", "21", "0.300"],
    ]
    assert "old" not in text and text.startswith("before\n") and text.endswith("<!-- end -->\nafter\n")


def test_runs_with_few_pictures_have_tables_of_their_own():
    runs = [run("a"), run("a", pictures=50, asked=9.0), run("a", pictures=50, asked=3.0, kid_lite1=0.1)]
    text = filled("<!-- few 50 1 a -->\n<!-- end -->\n<!-- runs 20 1 a -->\n<!-- end -->", runs)
    kids = [line.split(" | ")[5] for line in text.splitlines() if line.startswith("| `")]
    assert kids == ["0.100", "0.500", "0.500"]


def test_runs_on_other_pictures_are_not_averaged():
    runs = [run("a", pictures=50, set="one"), run("a", pictures=50, set="other", kid_lite1=0.1)]
    text = filled("<!-- few 50 1 a -->\n<!-- end -->", runs)
    assert [line.split(" | ")[5] for line in text.splitlines() if line.startswith("| `")] == ["0.100", "0.500"]


def test_a_curve_is_of_the_first_seed():
    points = [{"minutes": 8.4, "kid_lite1": 0.6}, {"minutes": 20.2, "kid_lite1": 0.1}]
    runs = [run("a") | {"curve": points}, run("a") | {"seed": 1, "curve": points[:1]}]
    rows = filled("<!-- curve 20 1 a -->\n<!-- end -->", runs).splitlines()[1:-1]
    assert rows == ["| minutes | 8 | 20 |", "| --- | --- | --- |", "| `a` | 0.600 | 0.100 |"]


def test_a_recipe_that_was_not_run_is_no_row():
    with pytest.raises(ValueError, match="no run of c"):
        filled("<!-- runs 20 1 a c -->\n<!-- end -->", [run("a")])
