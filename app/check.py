"""Look at pictures before anything is trained: what the stages `scrape` and `clean` make of some of them."""

from __future__ import annotations

import html
import os
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ruamel.yaml import YAML

from app.recipe import overlay_of, recipe_file, written
from creatures.artifacts import CLEAN, MANIFEST, PICTURES, RAW, VETOES
from creatures.decoding.files import open_file
from creatures.decoding.foreground import border_colour
from creatures.decoding.unusable import AS_GROUND, Unusable
from creatures.intake.layout import described, recognise
from creatures.intake.tables import is_table
from creatures.runtime.config import changed, flat, read_yaml
from creatures.runtime.errors import UserError

ROOT = Path(__file__).parents[1]
SOME = 400  # files that are looked at
NAMED = 12  # labels in the report
PIXEL_ART = 48  # pixels of the longer side: smaller pictures are enlarged by whole numbers
FEW = 2000  # pictures: for fewer, the recipe `few`
PER_REASON = 60  # pictures on the page


@dataclass
class Report:
    """What was found.

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
        flags = shlex.join(part for key, value in self.params.items() for part in ("-S", f"{key}={written(value)}"))
        return "\n".join([*self.lines, f"to train on them: dvc exp run {flags}"])


def check(place: Path, with_page: bool = False) -> Report:
    """Look at a folder or an archive of pictures: all names, and the contents of at most SOME files of a folder.

    Raises:
        UserError: there is no such place, or nothing in it can be used; the message is the stage's own.
    """
    place = place.absolute()
    if not place.exists():
        raise UserError(f"{place}: there is no such folder or file")
    report = Report(params=sources_of(place))
    with TemporaryDirectory() as name:
        folder = Path(name)
        values = changed(read_yaml(ROOT / "params.yaml"), report.params)
        paths = sorted(_files(place)) if place.is_dir() else []
        if len(paths) > SOME:
            values["scrape"]["own"] = str(folder / "some")
            _copy_some(place, paths, folder / "some")
        _prepare(folder, values)
        said = _run("scrape", folder)
        try:
            said += _run("clean", folder)
        except UserError as error:
            if "clean.background" not in str(error):
                raise
            report.params["clean.background"] = "auto"
            _write(folder, changed(values, {"clean.background": "auto"}))
            said += _run("clean", folder)
        with chdir(folder):
            manifest, index = pq.read_table(MANIFEST), pq.read_table(PICTURES)
            count = len(manifest.filter(pc.equal(manifest["status"], "ok")))
            if len(paths) > SOME:
                count = _tell_names(report, paths, manifest)
            report.lines += [line.partition(": ")[2] for line in said if not line.startswith("scrape: from ")]
            _tell_labels(report, index["species"].to_pylist())
            _tell_files(report, [RAW / "files" / path for path in manifest["path"].to_pylist()])
            _advise(report, count)
            report.page = _page(report) if with_page else ""
    return report


def places() -> list[Path]:
    """The folders and archives of this machine that params.yaml names as sources.

    Raises:
        UserError: it names none.
    """
    scrape = read_yaml("params.yaml").get("scrape") or {}
    local = [source for source in scrape.get("sources") or [] if source.get("from") in ("folder", "archive")]
    found = [Path(scrape.get("own", ""), source.get("path", "")) for source in local if not source.get("url")]
    if not found:
        raise UserError(
            "params.yaml names no pictures of this machine: run `dvc repro clean`, then look with `inspect`"
        )
    return found


def sources_of(place: Path) -> dict[str, Any]:
    """Values of params.yaml, by dotted key, with which a folder or an archive is the only source."""
    source = {"from": "folder"} if place.is_dir() else {"from": "archive", "path": place.name}
    own = place if place.is_dir() else place.parent
    return {"scrape.own": str(own), "scrape.sources": [source], "names.package": ""}


def _files(place: Path) -> Iterator[str]:
    """Paths of the files below a folder, relative to it, without hidden ones."""
    for parent, folders, files in os.walk(place):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith("."):
                yield Path(parent, name).relative_to(place).as_posix()


def _copy_some(place: Path, paths: Sequence[str], target: Path) -> None:
    """Copy SOME of the files, evenly spread, and all tables of labels."""
    rows = np.linspace(0, len(paths) - 1, SOME).astype(int)
    for path in {paths[row] for row in rows} | {path for path in paths if is_table(path)}:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place / path, target / path)


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
        raise UserError(lines[-1].removeprefix(f"{stage}: ") if lines else f"{stage} failed: {done.stderr[-500:]}")
    return [line for line in lines if not line.startswith(f"{stage}: files: ")]  # progress


def _tell_names(report: Report, paths: Sequence[str], manifest: Any) -> int:
    """What the names of all files say, of which only SOME were looked at; returns the number of pictures."""
    kept = manifest.filter(pc.equal(manifest["status"], "ok"))["path"].to_pylist()
    endings = {Path(path).suffix.lower() for path in kept}
    pictures = [path for path in paths if Path(path).suffix.lower() in endings]
    layout = recognise(pictures)
    labels, splits = Counter(map(layout.label_of, pictures)), Counter(map(layout.split_of, pictures))
    report.lines.append(f"{len(pictures):,} pictures: {described(layout, labels, splits, 'by folder')}")
    report.lines.append(f"looked at {SOME} files, evenly spread over all:")
    return len(pictures)


def _tell_labels(report: Report, species: Sequence[str]) -> None:
    counts = Counter(species)
    if len(counts) > 1:
        some = ", ".join(f"{name or '(none)'} {count}" for name, count in counts.most_common(NAMED))
        report.lines.append(f"labels: {some}{', …' if len(counts) > NAMED else ''}")


def _tell_files(report: Report, files: Sequence[Path]) -> None:
    """Kinds, sizes and backgrounds of files."""
    kinds, sizes, grounds = Counter[str](), list[int](), Counter[str]()
    for path in files:
        if not path.is_file():
            continue
        kinds[path.suffix.lower().removeprefix(".")] += 1
        if path.suffix.lower() in (".svg", ".svgz"):  # has no size, and takes long to draw
            continue
        try:
            image = open_file(path, 64)
        except Unusable:
            continue
        sizes.append(max(image.size))
        image.thumbnail((256, 256))
        if image.getchannel("A").getextrema()[0] == 0:
            grounds["transparent"] += 1
        else:
            grounds["of one colour" if border_colour(np.asarray(image.convert("RGB"))) else "full of picture"] += 1
    report.lines.append(f"files: {', '.join(f'{count} {kind}' for kind, count in kinds.most_common())}")
    if sizes:
        report.lines.append(f"longer sides: {min(sizes)} to {max(sizes)} pixels, median {np.median(sizes):.0f}")
        report.lines.append(f"backgrounds: {', '.join(f'{count} {ground}' for ground, count in grounds.most_common())}")
        if np.median(sizes) <= PIXEL_ART:
            report.params["clean.enlarge"] = "whole"


def _advise(report: Report, count: int) -> None:
    """Set what fits these pictures, of which there are `count`."""
    dropped = pq.read_table(CLEAN / "dropped.parquet")
    if pc.any(pc.equal(dropped["detail"], AS_GROUND)).as_py():
        report.params["clean.background"] = "auto"
    if count < FEW:
        report.params |= flat(overlay_of(recipe_file("few")))


def _page(report: Report) -> str:
    """The pictures of `inspect`, below the report."""
    from app.inspect.items import Items
    from app.inspect.page import render_still

    text = f"<pre style='white-space: pre-wrap; padding: 1em'>{html.escape(report.text)}</pre>"
    return render_still(Items(), PER_REASON).replace("<header>", f"{text}\n<header>", 1)
