"""Archives by address: once, whole, the right one."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest

from creatures.runtime.errors import UserError
from stages.scrape.archive import ArchiveParams, unpack_archives
from stages.scrape.web.guard import LOOPBACK
from tests.stages.scrape.test_archives import tar
from tests.stages.scrape.test_scrape import by_path, written
from tests.support.pictures_zoo import flag, saved
from tests.support.site_server import Answer, Asked

PICTURE = saved(flag(), "PNG")


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_an_archive_that_breaks_off_goes_on_where_it_was(serve, site, tmp_path):
    body = packed({f"cats/{i}.png": PICTURE for i in range(9)})

    def answer(asked: Asked) -> Answer:
        if asked.headers.get("range") == "bytes=500-" and asked.headers["if-range"] == '"one"':
            return Answer(body[500:], 206, {"ETag": '"one"', "Content-Range": f"bytes 500-/{len(body)}"})
        return Answer(body, 200, {"ETag": '"one"'}, cut=500)

    server = serve(answer)
    rows = by_path(unpack_archives(site, ArchiveParams(url=f"{server.url}/cats.zip")))
    assert len(server.asked) == 2 and len(written(site.out)) == 9
    assert rows["cats/0.png"].url == f"{server.url}/cats.zip#cats/0.png"
    assert [path.suffix for path in site.store.rglob("*") if path.is_file()] == [""]  # nothing but the whole file


def test_an_archive_that_has_changed_begins_anew(serve, site):
    old, new = packed({"old.png": PICTURE}), packed({"new.png": PICTURE})
    said = iter([Answer(old, 200, {"ETag": '"one"'}, cut=50), Answer(new, 200, {"ETag": '"two"'})])
    server = serve(lambda asked: next(said))
    assert set(by_path(unpack_archives(site, ArchiveParams(url=f"{server.url}/a.zip")))) == {"new.png"}


def test_an_archive_of_another_digest_is_refused_and_not_kept(serve, site):
    server = serve(lambda asked: Answer(packed({"a.png": PICTURE})))
    with pytest.raises(UserError, match="has the sha256"):
        unpack_archives(site, ArchiveParams(url=f"{server.url}/a.zip", sha256="0" * 64))
    assert not list(site.store.glob("archives/*")) and not (site.out / "files").exists()


def test_shards_by_address(serve, site, tmp_path):
    shards = {
        f"/s-{i}.tar": tar(tmp_path / f"{i}", {"0.png": PICTURE, "0.cls": b"%d" % i}).read_bytes() for i in (0, 1)
    }
    server = serve(lambda asked: Answer(shards[asked.path]))
    rows = by_path(unpack_archives(site, ArchiveParams(url=f"{server.url}/s-{{0..1}}.tar")))
    assert {path: row.label for path, row in rows.items()} == {"s-0/0.png": "0", "s-1/0.png": "1"}


def test_after_an_end_in_the_middle_no_shard_is_fetched_twice_but_a_damaged_one(serve, site, tmp_path):
    good = tar(tmp_path / "good", {"0.png": PICTURE}).read_bytes()
    second = iter([Answer(good[:700]), Answer(good)])
    server = serve(lambda asked: Answer(good) if asked.path == "/s-0.tar" else next(second))
    params = ArchiveParams(url=f"{server.url}/s-{{0..1}}.tar")
    with pytest.raises(UserError, match="cannot unpack"):
        unpack_archives(site, params)
    rows = by_path(unpack_archives(replace(site, out=tmp_path / "again"), params))
    assert set(rows) == {"s-0/0.png", "s-1/0.png"}
    assert [asked.path for asked in server.asked] == ["/s-0.tar", "/s-1.tar", "/s-1.tar"]


def test_servers_that_refuse_or_are_private_are_one_line(serve, site, monkeypatch):
    server = serve(lambda asked: Answer(status=404))
    with pytest.raises(UserError, match="404 Not Found"):
        unpack_archives(site, ArchiveParams(url=f"{server.url}/a.zip"))
    monkeypatch.delenv(LOOPBACK)
    with pytest.raises(UserError, match="not globally reachable"):
        unpack_archives(site, ArchiveParams(url=f"{server.url}/a.zip"))
    assert len(server.asked) == 1
