"""What `bench.quality` measured, as tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

COLUMNS = ("kid_lite1", "kid_lite2", "precision", "recall", "density", "coverage", "memorised")


def write_report(results: Path, out: Path) -> None:
    """`table.md`, means and deviations over the seeds, and `curve.tsv`, from the lines of `results`."""
    runs = [json.loads(line) for line in results.read_text().splitlines()]
    lines = [
        f"| recipe | minutes | threads | seeds | kimg | {' | '.join(COLUMNS)} |",
        "| --- | " + " | ".join(["---"] * (len(COLUMNS) + 4)) + " |",
    ]
    groups: dict[tuple[str, int, float, str], list[dict]] = {}
    for found in runs:
        groups.setdefault((found["recipe"], found["threads"], found["asked"], found["params"]), []).append(found)
    for (recipe, threads, *_), found in sorted(groups.items(), key=lambda g: np.mean([r[COLUMNS[0]] for r in g[1]])):
        minutes, kimg = (float(np.mean([r[name] for r in found])) for name in ("minutes", "kimg"))
        cells = [_cell([r[name] for r in found]) for name in COLUMNS]
        lines.append(f"| `{recipe}` | {minutes:.1f} | {threads} | {len(found)} | {kimg:.0f} | {' | '.join(cells)} |")
    (out / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = ["recipe\tthreads\tseed\tminutes\tkid_lite1"]
    for found in runs:
        run = f"{found['recipe']}\t{found['threads']}\t{found['seed']}"
        rows += [f"{run}\t{r['minutes']:.2f}\t{r['kid_lite1']:.4f}" for r in found["curve"]]
    (out / "curve.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _cell(values: list[float]) -> str:
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"
