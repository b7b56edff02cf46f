"""Look at pictures before anything is trained: what the stages `scrape` and `clean` make of some of them."""

from __future__ import annotations

import html
import os
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ruamel.yaml import YAML

from app.files import Files, look_at
from app.recipe import assignment, overlay_of, recipe_file
from creatures.artifacts import CLEAN, MANIFEST, PICTURES, RAW, VETOES
from creatures.decoding.foreground import AUTO
from creatures.decoding.unusable import AS_BACKGROUND
from creatures.intake.layout import described, recognise
from creatures.intake.names import files_below, is_picture
from creatures.intake.tables import is_table
from creatures.runtime.config import changed, flat, lookup, read_yaml
from creatures.runtime.errors import UserError

ROOT = Path(__file__).parents[1]
PARAMS = Path("params.yaml")
SOME = 400  # files that are looked at
NAMED = 12  # labels in the report
FEW = 2000  # pictures: for fewer, the recipe `few`
PER_REASON = 60  # pictures on the page


@dataclass
class Report:
    """Findings about pictures.

    Attributes:
        lines: in a few words each.
        params: values to set in params.yaml, by dotted key.
        page: the pictures, kept and dropped, as HTML; "" if it was not asked for.
    """

    lines: list[str] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    page: str = ""

    @property
    def text(self) -> str:
        if not self.params:
            return "\n".join(self.lines)
        flags = shlex.join(part for key, value in self.params.items() for part in ("-S", assignment(key, value)))
        return "\n".join([*self.lines, f"to train on them: dvc exp run {flags}"])


def check(place: Path | None = None, with_page: bool = False) -> Report:
    """Look at a folder or an archive of pictures: all names, and the contents of at most SOME pictures of a folder.

    Args:
        place: None: the sources of params.yaml, with its parameters, and all of their pictures.

    Raises:
        UserError: there is no such place, nothing in it can be used, or DVC would stop at a name in it.
    """
    with TemporaryDirectory() as name:
        folder, paths = Path(name), list[str]()
        if place is None:
            report, values = Report(), _own_values()
        else:
            place = place.absolute()
            if not place.exists():
                raise UserError(f"{place}: there is no such folder or file")
            real, raw = place.resolve(), RAW.resolve()
            if raw.is_relative_to(real) or real.is_relative_to(raw):
                raise UserError(f"{place} holds {RAW}, or lies in it, where scrape writes; name a folder beside it")
            report = Report(params=sources_of(place))
            values = changed(read_yaml(PARAMS), report.params)
            names = map(Path.as_posix, files_below(place)) if place.is_dir() else ()
            paths = [path for path in names if is_picture(path) or is_table(path)]
            if len(paths) > SOME:
                values["scrape"]["own"] = str(folder / "some")
                _copy_some(place, paths, folder / "some")
        _prepare(folder, values)
        said = _run("scrape", folder)
        try:
            said += _run("clean", folder)
        except UserError as error:
            if place is None or "clean.background" not in str(error):
                raise
            report.params["clean.background"] = AUTO
            _write(folder, changed(values, {"clean.background": AUTO}))
            said += _run("clean", folder)
        with chdir(folder):
            manifest, index = pq.read_table(MANIFEST), pq.read_table(PICTURES)
            manifest = manifest.filter(pc.equal(manifest["status"], "ok"))  # the path of others may lead anywhere
            if len(paths) > SOME:
                _tell_names(report, paths, by_table=any("by table" in line for line in said))
            report.lines += [line.partition(": ")[2] for line in said if not line.startswith("scrape: from ")]
            _tell_labels(report, index["species"].to_pylist())
            files = look_at([RAW / "files" / path for path in manifest["path"].to_pylist()])
            report.lines += files.lines
            if place is not None:
                _advise(report, files, len(paths) or len(manifest), values)
            report.page = _page(report) if with_page else ""
    return report


def sources_of(place: Path) -> dict[str, Any]:
    """Values of params.yaml, by dotted key, with which a folder or an archive is the only source."""
    source = {"from": "folder"} if place.is_dir() else {"from": "archive", "path": "."}
    return {"scrape.own": str(place), "scrape.sources": [source], "names.package": ""}


def _own_values() -> dict[str, Any]:
    """The values of params.yaml, with an absolute `scrape.own`.

    Raises:
        UserError: they are wrong, or some of its sources are not on this machine.
    """
    values = read_yaml(PARAMS)
    scrape = values.get("scrape")
    if not isinstance(scrape, dict) or "own" not in scrape:
        raise UserError("params.yaml: scrape must be a mapping, with own and sources")
    sources = scrape.get("sources") or []
    if not isinstance(sources, list) or not all(isinstance(source, dict) for source in sources):
        raise UserError(f"params.yaml: scrape.sources is {sources!r}: it must be a list of mappings, each with `from`")
    if others := [str(s.get("from")) for s in sources if s.get("from") != "folder" and not s.get("path")]:
        raise UserError(
            f"params.yaml has pictures from elsewhere ({', '.join(others)}): run dvc repro clean, or name some"
        )
    return changed(values, {"scrape.own": str(Path(scrape["own"]).absolute())})


def _copy_some(place: Path, paths: Sequence[str], target: Path) -> None:
    """Copy SOME of the pictures, evenly spread, and all tables of labels; links that lead out stay such links."""
    rows = np.linspace(0, len(paths) - 1, SOME).astype(int)
    for path in {paths[row] for row in rows} | {path for path in paths if is_table(path)}:
        source, copy = (place / path).resolve(), target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_relative_to(place.resolve()) and source.is_file() and os.access(source, os.R_OK):
            shutil.copyfile(source, copy)
        else:
            copy.symlink_to(source)


def _prepare(folder: Path, values: dict[str, Any]) -> None:
    """Create a folder where the stages can run with these parameters."""
    (folder / VETOES).parent.mkdir()
    (folder / VETOES).touch()
    _write(folder, values)
    for name in ("creatures", "stages", "dvc.yaml"):
        (folder / name).symlink_to(ROOT / name)


def _write(folder: Path, values: dict[str, Any]) -> None:
    with open(folder / "params.yaml", "w", encoding="utf-8") as out:
        YAML(typ="safe").dump(values, out)


def _run(stage: str, folder: Path) -> list[str]:
    """Run a stage; returns the lines that it printed about its result.

    Raises:
        UserError: it failed.
    """
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", f"stages.{stage}"], cwd=folder, env=environment, capture_output=True, text=True
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith(f"{stage}: ")]
    if done.returncode:
        last = (done.stderr.strip() or "it printed nothing").splitlines()[-1]
        raise UserError(last.removeprefix(f"{stage}: "))
    return [line for line in lines if not line.startswith(f"{stage}: files: ")]  # progress


def _tell_names(report: Report, paths: Sequence[str], by_table: bool) -> None:
    """Report the names of all files, of which only SOME are looked at."""
    pictures = [path for path in paths if is_picture(path)]
    layout = recognise(pictures)
    labels, splits = Counter(map(layout.label_of, pictures)), Counter(map(layout.split_of, pictures))
    what = "" if by_table else f": {described(layout, labels, splits, 'by folder')}"
    report.lines.append(f"{len(pictures):,} pictures{what}")
    report.lines.append(f"looked at {SOME} of them, evenly spread:")


def _tell_labels(report: Report, species: Sequence[str]) -> None:
    counts = Counter(species)
    if len(counts) > 1:
        some = ", ".join(f"{name or '(none)'} {count}" for name, count in counts.most_common(NAMED))
        report.lines.append(f"labels: {some}{', …' if len(counts) > NAMED else ''}")


def _advise(report: Report, files: Files, count: int, values: dict[str, Any]) -> None:
    """Set what fits these pictures, of which there are `count`, and name what is still set for others."""
    if files.sheets:
        report.lines.append(f"{files.sheets} look like sheets of sprites, which `sheet: auto` cuts")
        report.params["scrape.sources"][0]["sheet"] = AUTO
    if files.full:
        report.params["clean.margin"] = 0.0
    if files.pixel_art:
        report.params["clean.enlarge"] = "whole"
    dropped = pq.read_table(CLEAN / "dropped.parquet")
    if pc.any(pc.equal(dropped["detail"], AS_BACKGROUND)).as_py():
        report.params["clean.background"] = AUTO
    few = flat(overlay_of(recipe_file("few")))
    if count < FEW:
        report.params |= few
    if any(lookup(values, key) != value for key, value in few.items()):
        few = {}  # some of its values alone are the default's, or the user's own
    fits_others = {"clean.background": AUTO, "clean.margin": 0.0, "clean.enlarge": "whole"} | few
    still = [f"{k}: {v}" for k, v in fits_others.items() if k not in report.params and lookup(values, k) == v]
    if still:
        report.lines.append(f"params.yaml still has {', '.join(still)}, which these pictures do not need")


def _page(report: Report) -> str:
    """The pictures of `inspect`, below the report."""
    from app.inspect.items import Items
    from app.inspect.page import render_still

    text = f"<pre style='white-space: pre-wrap; padding: 1em'>{html.escape(report.text)}</pre>"
    return render_still(Items(), PER_REASON).replace("<header>", f"{text}\n<header>", 1)
