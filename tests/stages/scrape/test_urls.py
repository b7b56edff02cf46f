"""Lists of addresses: read as they are, each row counted."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from creatures.runtime.errors import UserError
from stages.scrape.site import Site
from stages.scrape.urls import UrlsParams, fetch_urls, read_list
from stages.scrape.web.download import Wanted
from stages.scrape.web.guard import LOOPBACK
from stages.scrape.web.params import WebParams
from tests.support.web_server import web_server

COLUMNS = {
    "url": ["http://a.org/1.png", None, "http://a.org/2.png"],
    "label": ["Mew, the first", "lost", None],
    "licence": ["CC0", "", " "],
    "width": [1, 2, 3],
}
SAME = [Wanted("http://a.org/1.png", "Mew, the first", "CC0"), Wanted("", "lost"), Wanted("http://a.org/2.png")]


def params(path, **keys) -> UrlsParams:
    return UrlsParams.model_validate({"from": "urls", "path": str(path)} | keys)


def read(path, **keys) -> list[Wanted]:
    return list(read_list(path, params(path, **keys)))


def test_kinds_of_lists(tmp_path):
    """CSV and Parquet say the same; a text file has addresses alone."""
    pq.write_table(pa.table(COLUMNS), tmp_path / "list.parquet")
    lines = ["url,label,licence,width", 'http://a.org/1.png,"Mew, the first",CC0,1', ",lost,,2", "http://a.org/2.png"]
    (tmp_path / "list.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    (tmp_path / "list.TXT").write_text("# found in May\r\nhttp://a.org/1.png\r\n\r\n  http://a.org/2.png")
    assert read(tmp_path / "list.parquet") == read(tmp_path / "list.csv") == SAME
    assert read(tmp_path / "list.TXT") == [Wanted("http://a.org/1.png"), Wanted("http://a.org/2.png")]


def test_columns_by_any_name(tmp_path):
    pq.write_table(pa.table(COLUMNS).rename_columns(["a", "b", "c", "d"]), tmp_path / "list.parquet")
    named = {"url_column": "a", "label_column": "b", "licence_column": ""}
    assert read(tmp_path / "list.parquet", **named)[0] == replace(SAME[0], licence="unknown")
    (tmp_path / "list.csv").write_text(",url\n0,http://a.org/1.png\n")  # with the index that pandas writes
    assert read(tmp_path / "list.csv", label_column="", licence_column="") == [Wanted("http://a.org/1.png")]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.txt", None, "no such file"),
        ("list.json", "[]", "ends in one of .txt, .csv, .parquet"),
        ("list.csv", "address\nx", "no column 'url', only 'address'"),
        ("list.csv", "", "no column 'url', only none"),
        ("list.parquet", "url", "cannot be read"),
        ("list.txt", "", "it is empty"),
        ("list.txt", "nothing\n", "'nothing': not a web address"),
    ],
)
def test_a_list_that_will_not_do_ends_the_stage_in_one_line(tmp_path, name, text, said):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError) as error:
        fetch_urls(Site(tmp_path / "out", WebParams(), tmp_path / "store"), params(path))
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_list_is_fetched(tmp_path, monkeypatch):
    with web_server() as server:
        monkeypatch.setenv(LOOPBACK, str(server.port))
        lines = ["url,label", *(f"{server.url(f'ok/{n}.png')},Mew" for n in range(3)), ",Mew"]
        (tmp_path / "list.csv").write_text("\n".join(lines))
        site = Site(tmp_path / "out", WebParams(per_second=0), tmp_path / "store")
        rows = fetch_urls(site, params(tmp_path / "list.csv"))
        assert [row.reason for row in rows] == ["", "", "", "not a web address"]
        assert len(fetch_urls(Site(tmp_path / "few", site.web, site.store), params(tmp_path / "list.csv", most=2))) == 2
