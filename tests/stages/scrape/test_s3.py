"""Archives on a server that speaks S3."""

from __future__ import annotations

import shutil
import threading

import pytest

from creatures.runtime.errors import UserError
from creatures.s3 import AT_ONCE
from stages.scrape import fetch
from stages.scrape.archive import ArchiveParams, unpack_archives
from stages.scrape.site import Site
from stages.scrape.web.params import WebParams
from tests.support.drawn_creatures import LABELS


def unpack(tmp_path, url: str, **params: int) -> list:
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    params = ArchiveParams.model_validate({"from": "archive", "url": url} | params)
    return unpack_archives(Site(out, WebParams(), tmp_path / "store"), params)


def test_archives_come_as_by_http(tmp_path, tiny_set, s3):
    packed = shutil.make_archive(str(tmp_path / "made"), "tar", tiny_set)
    for number in range(2):
        with open(packed, "rb") as source, s3.open_output_stream(f"pictures/deep/{number}.tar") as out:
            shutil.copyfileobj(source, out)
    rows = unpack(tmp_path, "s3://pictures/deep/{0..1}.tar")
    assert len({row.path.split("/")[1] for row in rows}) == LABELS
    assert {row.status for row in rows} == {"ok"}
    for row in rows:
        number, name = row.path.split("/", 1)
        assert (tmp_path / "out/files" / row.path).read_bytes() == (tiny_set / name).read_bytes()
        assert row.url == f"s3://pictures/deep/{number}.tar#{name}"


def test_archives_are_fetched_several_at_a_time_and_unpacked_in_order(tmp_path, tiny_set, monkeypatch):
    packed = shutil.make_archive(str(tmp_path / "made"), "tar", tiny_set)
    both = threading.Barrier(2, timeout=60)  # breaks if the second is not asked for while the first is under way

    def waiting(url, target):
        both.wait()
        shutil.copy(packed, target)

    monkeypatch.setattr(fetch, "fetch_object", waiting)
    rows = unpack(tmp_path, "s3://pictures/{0..3}.tar")
    folders = [row.path.split("/")[0] for row in rows]
    assert folders == sorted(folders) and set(folders) == {"0", "1", "2", "3"}


def test_no_more_archives_are_fetched_than_are_wanted_but_those_under_way(tmp_path, tiny_set, monkeypatch):
    packed = shutil.make_archive(str(tmp_path / "made"), "tar", tiny_set)
    asked = []

    def fetched(url, target):
        asked.append(url)
        shutil.copy(packed, target)

    monkeypatch.setattr(fetch, "fetch_object", fetched)
    rows = unpack(tmp_path, "s3://pictures/{00..99}.tar", most=1)
    assert [row.status for row in rows] == ["ok"] and len(asked) <= AT_ONCE


def test_what_is_not_there_is_said_in_one_line(tmp_path, s3):
    with pytest.raises(UserError, match=r"^cannot fetch s3://pictures/none.tar: .*Path does not exist"):
        unpack(tmp_path, "s3://pictures/none.tar")
