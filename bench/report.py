"""Tables of what `bench.quality` measured.

    python -m bench.report docs/quality docs/QUALITY.md

fills the tables of a document, each of which stands between a line that says what it has and `<!-- end -->`:

- `<!-- runs MINUTES THREADS RECIPE… -->`: a row for each of the recipes, best first;
- `<!-- few PICTURES THREADS RECIPE… -->`: the same for runs with so few pictures, of any length;
- `<!-- curve MINUTES THREADS RECIPE… -->`: KID as the first seed's training went on.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS = (
    *("kid_lite1", "kid_lite2", "precision", "recall", "density", "coverage", "memorised"),
    *("grid", "one_piece", "holes"),
)
KEY = ("recipe", "threads", "asked", "pictures", "params")
PLACE = re.compile(r"(<!-- (runs|curve|few) ([\d.]+) (\d+) (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)

Runs = list[dict[str, Any]]


def read_runs(results: Path) -> Runs:
    """The lines of results.jsonl."""
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


def write_report(results: Path, out: Path) -> None:
    """`table.md`, means and deviations over the seeds, and `curve.tsv`, from the lines of `results`."""
    runs = read_runs(results)
    (out / "table.md").write_text(table(runs), encoding="utf-8")
    rows = ["recipe\tthreads\tasked\tseed\tminutes\tkid_lite1"]
    for found in runs:
        run = f"{found['recipe']}\t{found['threads']}\t{found['asked']:g}\t{found['seed']}"
        rows += [f"{run}\t{r['minutes']:.2f}\t{r['kid_lite1']:.4f}" for r in found["curve"]]
    (out / "curve.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def table(runs: Iterable[dict[str, Any]]) -> str:
    """A row for each recipe, best first."""
    groups: dict[tuple[str, ...], Runs] = {}
    for found in runs:
        groups.setdefault(tuple(str(found.get(name, 0)) for name in KEY), []).append(found)
    lines = [
        f"| recipe | minutes | threads | seeds | kimg | {' | '.join(COLUMNS)} |",
        "| --- | " + " | ".join(["---"] * (len(COLUMNS) + 4)) + " |",
    ]
    for (recipe, threads, *_), of_group in sorted(groups.items(), key=lambda g: _mean(g[1], COLUMNS[0])):
        cells = [_cell([r[name] for r in of_group if name in r]) for name in COLUMNS]
        head = f"{_mean(of_group, 'minutes'):.1f} | {threads} | {len(of_group)} | {_mean(of_group, 'kimg'):.0f}"
        lines.append(f"| `{recipe}` | {head} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def curves(runs: Iterable[dict[str, Any]]) -> str:
    """KID along the first seed of each recipe, a row each; minutes are those of the first row's run."""
    lines: list[str] = []
    for found in (r for r in runs if r["seed"] == 0):
        if not lines:
            lines.append(f"| minutes | {' | '.join(format(r['minutes'], '.0f') for r in found['curve'])} |")
            lines.append("| --- | " + " | ".join(["---"] * len(found["curve"])) + " |")
        lines.append(f"| `{found['recipe']}` | {' | '.join(format(r[COLUMNS[0]], '.3f') for r in found['curve'])} |")
    return "\n".join(lines) + "\n"


def filled(text: str, runs: Runs) -> str:
    """A document with its tables as the runs have them.

    Raises:
        ValueError: it names a recipe that was not run for so long on so many threads.
    """

    def fill(place: re.Match[str]) -> str:
        number, threads, recipes = float(place[3]), int(place[4]), place[5].split()
        wanted = {"pictures": number} if place[2] == "few" else {"pictures": 0, "asked": number}
        wanted["threads"] = threads
        found = [r for r in runs if wanted.items() <= ({"pictures": 0} | r).items() and r["recipe"] in recipes]
        if missing := set(recipes) - {r["recipe"] for r in found}:
            raise ValueError(f"no run of {', '.join(sorted(missing))}")
        found.sort(key=lambda r: recipes.index(r["recipe"]))
        return f"{place[1]}{(curves if place[2] == 'curve' else table)(found)}{place[6]}"

    return PLACE.sub(fill, text)


def _mean(runs: Runs, name: str) -> float:
    return float(np.mean([r[name] for r in runs]))


def _cell(values: list[float]) -> str:
    if not values:  # measured before there was such a metric
        return "–"
    deviation = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{deviation}"


def main(folder: str, document: str) -> None:
    path = Path(document)
    try:
        text = filled(path.read_text(encoding="utf-8"), read_runs(Path(folder) / "results.jsonl"))
    except (OSError, ValueError) as error:
        sys.exit(f"report: {error}")
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("report: python -m bench.report FOLDER DOCUMENT")
    main(*sys.argv[1:])
