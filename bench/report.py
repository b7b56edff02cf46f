"""Tables of what `bench.quality` measured.

    python -m bench.report docs/quality docs/QUALITY.md

fills in the tables of a document, each of which stands between a line that describes it and `<!-- end -->`:

- `<!-- runs MINUTES THREADS RECIPE… -->`: a row for each of the recipes, best first;
- `<!-- few PICTURES THREADS RECIPE… -->`: the same for runs on that few pictures, of any length;
- `<!-- curve MINUTES THREADS RECIPE… -->`: KID during the first seed's training.
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
    *("kid_lite1", "kid_lite2", "precision", "recall", "density", "coverage"),
    *("memorised", "memorised_px", "grid", "one_piece", "holes"),
)
KEY = ("recipe", "threads", "asked", "pictures", "set", "params")
PLACE = re.compile(r"(<!-- (runs|curve|few) ([\d.]+) (\d+) (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)

Runs = list[dict[str, Any]]


def read_runs(results: Path) -> Runs:
    """The lines of results.jsonl."""
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


def write_report(results: Path, out: Path) -> None:
    """Write `table.md`, means and deviations over the seeds, and `curve.tsv`, from the lines of `results`."""
    runs = read_runs(results)
    (out / "table.md").write_text(table(runs), encoding="utf-8")
    rows = ["recipe\tthreads\tasked\tseed\tminutes\tkid_lite1"]
    for result in runs:
        run = f"{result['recipe']}\t{result['threads']}\t{result['asked']:g}\t{result['seed']}"
        rows += [f"{run}\t{r['minutes']:.2f}\t{r['kid_lite1']:.4f}" for r in result["curve"]]
    (out / "curve.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def table(runs: Runs) -> str:
    """A row for each recipe, best first; a column for each metric that a run has."""
    columns = [name for name in COLUMNS if any(name in run for run in runs)]
    groups: dict[tuple[str, ...], Runs] = {}
    for run in runs:
        groups.setdefault(tuple(str(run.get(name, 0)) for name in KEY), []).append(run)
    lines = [
        f"| recipe | minutes | threads | seeds | kimg | {' | '.join(columns)} |",
        "| --- | " + " | ".join(["---"] * (len(columns) + 4)) + " |",
    ]
    for (recipe, threads, *_), group in sorted(groups.items(), key=lambda g: _mean(g[1], COLUMNS[0])):
        cells = [_cell([r[name] for r in group if name in r]) for name in columns]
        head = f"{_mean(group, 'minutes'):.1f} | {threads} | {len(group)} | {_mean(group, 'kimg'):.0f}"
        lines.append(f"| `{recipe}` | {head} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def curves(runs: Iterable[dict[str, Any]]) -> str:
    """KID during training of each recipe's first seed, a row each; minutes are those of the first row's run."""
    lines: list[str] = []
    for run in (r for r in runs if r["seed"] == 0):
        if not lines:
            lines.append(f"| minutes | {' | '.join(format(r['minutes'], '.0f') for r in run['curve'])} |")
            lines.append("| --- | " + " | ".join(["---"] * len(run["curve"])) + " |")
        lines.append(f"| `{run['recipe']}` | {' | '.join(format(r[COLUMNS[0]], '.3f') for r in run['curve'])} |")
    return "\n".join(lines) + "\n"


def filled(text: str, runs: Runs) -> str:
    """A document with its tables filled in from the runs.

    Raises:
        ValueError: it names a recipe without runs of that length on that many threads.
    """

    def fill(place: re.Match[str]) -> str:
        number, threads, recipes = float(place[3]), int(place[4]), place[5].split()
        criteria = {"pictures": number} if place[2] == "few" else {"pictures": 0, "asked": number}
        criteria["threads"] = threads
        matching = [r for r in runs if criteria.items() <= ({"pictures": 0} | r).items() and r["recipe"] in recipes]
        if missing := set(recipes) - {r["recipe"] for r in matching}:
            raise ValueError(f"no run of {', '.join(sorted(missing))}")
        matching.sort(key=lambda r: recipes.index(r["recipe"]))
        return f"{place[1]}{(curves if place[2] == 'curve' else table)(matching)}{place[6]}"

    return PLACE.sub(fill, text)


def _mean(runs: Runs, name: str) -> float:
    return float(np.mean([r[name] for r in runs]))


def _cell(values: list[float]) -> str:
    if not values:  # measured before this metric existed
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
