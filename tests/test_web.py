"""Pictures from the web: none lost, none asked for twice, no server annoyed, no private one reached."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from stages.scrape.manifest import Row
from stages.scrape.web import retry
from stages.scrape.web.download import Wanted, download, finish
from stages.scrape.web.engine import Asked, by_turns
from stages.scrape.web.guard import LOOPBACK
from stages.scrape.web.params import WebParams
from tests.closure import ROOT
from tests.conftest import environment
from tests.web_server import HOSTS, WebServer, png, web_server

QUICK = WebParams(per_second=0, timeout_s=1.5, retries=1, max_bytes=50_000)
AT_ONCE = 4  # of SCRIPT, over both hosts


@pytest.fixture
def server(monkeypatch):
    with web_server() as running:
        monkeypatch.setenv(LOOPBACK, str(running.port))
        monkeypatch.setattr(retry, "FIRST_S", 0.01)
        yield running


@pytest.fixture
def fetch(tmp_path):
    """Downloads addresses, into a fresh folder each time; the store stays."""

    def run(*wanted: str | Wanted, params: WebParams = QUICK, out: str = "out") -> list[Row]:
        listed = [Wanted(item) if isinstance(item, str) else item for item in wanted]
        return download(listed, tmp_path / out, params, tmp_path / "store")

    return run


@pytest.fixture
def other():
    """Another port of this machine, where something listens."""
    with socket.create_server((HOSTS[0], 0)) as listening:
        yield listening


def reasons(rows: list[Row]) -> list[str]:
    return [row.reason or row.status for row in rows]


def test_a_picture_is_kept_with_all_that_is_known_of_it(server, fetch, tmp_path):
    wanted = Wanted(server.url("ok/7.png"), "Mr. Mime", "CC0", "search")
    (row,) = fetch(wanted)
    assert (row.label, row.source, row.url, row.licence, row.status) == ("Mr. Mime", "search", wanted.url, "CC0", "ok")
    assert (tmp_path / "out/files" / row.path).read_bytes() == png(7)
    assert row.path.startswith("search/mr-mime/") and row.path.endswith(".png") and row.bytes == len(png(7))
    assert abs(datetime.fromisoformat(row.time) - datetime.now(UTC)).total_seconds() < 60
    assert server.log[-1].headers["user-agent"] == QUICK.agent


def test_what_fails_costs_one_row(server, fetch, other):
    """All kinds of answers that are no picture, and one good address between them."""
    private = f"http://127.0.0.1:{other.getsockname()[1]}/a.png"
    rows = fetch(
        server.url("gone/1"),
        server.url("html/1.png"),
        server.url("type/1.png"),
        server.url("endless/1"),
        server.url("slow/1"),
        server.url("loop/0"),
        server.url("ill/99"),
        server.url("ok/1.png"),
        "ftp://example.org/a.png",
        "http://[bad/a.png",
        "",
        "http://169.254.169.254/latest/meta-data",
        private.replace("127.0.0.1", "localhost"),
        server.url("to/http://169.254.169.254/latest"),
        server.url(f"to/{private}"),
        server.url("to/file:///etc/passwd"),
        server.url("cut/1"),
    )
    refused = "its host is not on the public network"
    assert reasons(rows)[:16] == [
        "404 Told",
        "not a picture (HTML)",
        "not a picture",
        "longer than 50000 bytes",
        "took longer than 1.5 s",
        "more than 10 redirects",
        "503 Told",
        "ok",
        *["not a web address"] * 3,
        *[f"robots.txt: {refused}"] * 2,
        *[f"redirected: robots.txt: {refused}"] * 2,
        "redirected: not a web address",
    ]
    assert "peer closed connection" in rows[16].reason
    assert len(server.asked("ill/99")) == 1 + QUICK.retries


def test_a_dead_port_costs_one_row(server, fetch, other, monkeypatch):
    port = other.getsockname()[1]
    other.close()
    monkeypatch.setenv(LOOPBACK, str(port))
    (row,) = fetch(f"http://127.0.0.1:{port}/a.png")
    assert row.reason == "robots.txt: ConnectError: All connection attempts failed" and not server.log


def test_this_machine_is_refused_without_the_setting(server, fetch, monkeypatch):
    monkeypatch.delenv(LOOPBACK)
    assert "not on the public network" in fetch(server.url("ok/1.png"))[0].reason and not server.log


def test_what_mends_is_asked_again(server, fetch):
    """When a server says when, not before; in seconds and as a date."""
    rows = fetch(*map(server.url, ("busy/1", "ill/1")))
    assert reasons(rows) == ["ok", "ok"]
    first, second = server.asked("busy/1")
    assert second.began - first.began >= 1
    (row,) = fetch(server.url("busy/2", HOSTS[1]))
    first, second = server.asked("busy/2")
    assert row.status == "ok" and second.began - first.began >= 0.9  # a date has whole seconds


def test_no_server_makes_us_wait_for_ever():
    assert retry.retry_after("86400") == retry.ASKED_S
    assert retry.retry_after(format_datetime(datetime(2099, 1, 1, tzinfo=UTC), usegmt=True)) == retry.ASKED_S
    assert retry.retry_after("Mon, 01 Jan 2001 00:00:00 GMT") == 0
    assert retry.retry_after("soon") is None


def test_a_dead_host_is_given_up(server, fetch, monkeypatch):
    """A million addresses of a server that is down must not take a week."""
    monkeypatch.setattr("stages.scrape.web.hosts.DEAD", 3)
    rows = fetch(*(server.url(f"ill/{n}") for n in range(90, 110)), server.url("ok/1.png", HOSTS[1]))
    assert "its host stopped answering" in reasons(rows) and rows[-1].status == "ok"
    assert len(server.log) < 20


def test_robots_txt_is_obeyed(server, fetch):
    """Asked once for each host, before anything else."""
    server.robots = (200, "User-agent: creature-pipeline\nDisallow: /ok/\n\nUser-agent: *\nDisallow: /\n")
    wanted = [server.url(f"{kind}/{n}.png") for kind in ("ok", "nap") for n in (1, 2)]
    assert reasons(fetch(*wanted)) == ["robots.txt disallows it"] * 2 + ["ok"] * 2
    assert [seen.path for seen in server.log].count("/robots.txt") == 1 and server.log[0].path == "/robots.txt"
    assert not server.asked("ok/1.png")
    moved = server.url("to/" + server.url("ok/3.png", HOSTS[1]))  # the other host's rules hold where it leads
    server.robots = (200, "User-agent: *\nDisallow: /ok/")
    assert reasons(fetch(moved)) == ["redirected: robots.txt disallows it"]


def test_a_site_that_cannot_say_what_it_allows_is_left_alone(server, fetch):
    server.robots = (503, "")
    assert reasons(fetch(server.url("ok/1.png"))) == ["robots.txt: 503 Told"]
    assert reasons(fetch(server.url("ok/1.png"), params=QUICK.model_copy(update={"robots": False}))) == ["ok"]


def test_crawl_delay_is_kept(server, fetch):
    server.robots = (200, "User-agent: *\nCrawl-delay: 0.3")
    fetch(*(server.url(f"ok/{n}.png") for n in range(3)))
    began = [seen.began for seen in server.log if seen.path != "/robots.txt"]
    assert began[-1] - began[0] >= 0.55
    server.robots = (200, "User-agent: *\nCrawl-delay: 86400")
    assert reasons(fetch(server.url("ok/9.png"))) == ["robots.txt asks for 86400 s between requests"]


def test_requests_at_once(server, fetch):
    """No more than asked for, of a host and over all; and no fewer."""
    wanted = [server.url(f"nap/{n}.png", host) for host in HOSTS for n in range(12)]
    fetch(*wanted, params=QUICK.model_copy(update={"per_host": 2}))
    assert server.peak == {HOSTS[0]: 2, HOSTS[1]: 2, "": 4}
    server.peak.clear()
    finish_all = [replace(Wanted(url), url=f"{url}?again") for url in wanted]
    fetch(*finish_all, params=QUICK.model_copy(update={"per_host": 9, "total": 3}))
    assert server.peak[""] == 3


def test_requests_a_second(server, fetch):
    wanted = [server.url(f"ok/{n}.png", host) for host in HOSTS for n in range(6)]
    fetch(*wanted, params=QUICK.model_copy(update={"per_second": 10.0}))
    for host in HOSTS:
        began = [seen.began for seen in server.log if seen.host == host]
        assert len(began) == 7 and began[-1] - began[0] >= 0.55  # robots.txt counts


def test_hosts_come_by_turns():
    """A host with a million addresses, at four a second, holds up no other."""
    asked = [Asked(str(n), "large") for n in range(5)] + [Asked("5", "small"), Asked("6", "small")]
    assert [item.url for item in by_turns(asked, 2)] == ["0", "1", "5", "6", "2", "3", "4"]


def test_labels_may_be_anything(server, fetch, tmp_path):
    labels = ["../x", "/etc", "..", "", "a/b", "ピカチュウ", "x" * 300, "Nidoran\0♀", "con."]
    rows = fetch(*(Wanted(server.url(f"ok/{n}.png"), label) for n, label in enumerate(labels)))
    assert reasons(rows) == ["ok"] * len(labels) and [row.label for row in rows] == labels
    files = (tmp_path / "out/files").resolve()
    assert all((files / row.path).resolve().is_relative_to(files / "urls") for row in rows)
    assert len([path for path in tmp_path.rglob("*.png")]) == len(labels)


def test_the_same_address_and_the_same_picture(server, fetch):
    """The first of an address counts; a picture at two addresses is two files, for `clean` to compare."""
    one, two = server.url("ok/5.png"), server.url("nap/5.png")
    rows = fetch(one, Wanted(one, "other"), two)
    assert reasons(rows) == ["ok", "address is listed twice", "ok"]
    assert rows[0].sha256 == rows[2].sha256 and rows[0].path != rows[2].path
    assert len(server.asked("ok/5.png")) == 1


def test_suffix_is_of_the_bytes(server, fetch):
    rows = fetch(server.url("svg/1.gif"), server.url("ok/1.jpg"))
    assert [row.path[-4:] for row in rows] == [".svg", ".png"]


def test_a_refresh_asks_only_for_what_changed(server, fetch, tmp_path):
    wanted = [server.url(f"versioned/{n}") for n in (1, 2)]
    before = fetch(*wanted)
    assert fetch(*wanted, out="same") == before and len(server.asked("versioned/1")) == 1
    finish(tmp_path / "store")
    assert fetch(*wanted, out="unchanged") == before
    assert [seen.status for n in (1, 2) for seen in server.asked(f"versioned/{n}")] == [200, 304] * 2
    finish(tmp_path / "store")
    server.version = "2"
    after = fetch(*wanted, out="changed")
    assert [(tmp_path / "changed/files" / row.path).read_bytes() for row in after] == [png(2)] * 2
    assert [row.path for row in after] == [row.path for row in before]


def test_a_passing_failure_is_tried_again_by_the_next_run(server, fetch):
    """Also if the run before was not finished; what the server denied for good is not."""
    wanted = [server.url("ill/2"), server.url("gone/1")]
    assert reasons(fetch(*wanted)) == ["503 Told", "404 Told"]
    assert reasons(fetch(*wanted)) == ["ok", "404 Told"]
    assert len(server.asked("gone/1")) == 1


def test_two_runs_do_not_share_a_store(server, fetch, tmp_path):
    from filelock import FileLock

    from stages.lib.params import UserError

    (tmp_path / "store").mkdir()
    with FileLock(tmp_path / "store/lock"), pytest.raises(UserError, match="another run"):
        fetch(server.url("ok/1.png"))


SCRIPT = """
import json, sys
from pathlib import Path
from stages.scrape.web.download import Wanted, download
from stages.scrape.web.params import WebParams
from stages.scrape.manifest import write_manifest
urls, folder = json.loads(sys.argv[1]), Path(sys.argv[2])
params = WebParams(per_second=1000, per_host=2, retries=1)
wanted = [Wanted(url, f"label {i % 5}") for i, url in enumerate(urls)]
rows = download(wanted, folder / "out", params, folder / "store")
write_manifest(folder / "manifest.parquet", rows)
"""


def test_killed_ten_times(server: WebServer, tmp_path):
    """The manifest is as if nothing had been, and what was kept is never asked for again."""
    urls = [server.url(f"nap/{n}.png", HOSTS[n % 2]) for n in range(150)]
    listed = [*urls, server.url("gone/1"), urls[0], "nothing"]

    def start(folder: str) -> subprocess.Popen[Any]:
        command = [sys.executable, "-c", SCRIPT, json.dumps(listed), str(tmp_path / folder)]
        return subprocess.Popen(command, cwd=ROOT, env=environment() | {LOOPBACK: str(server.port)})

    def served() -> list[str]:
        return [seen.path for seen in list(server.log) if seen.ended and seen.path.startswith("/nap")]

    rng, kept, asked_twice = random.Random(0), set(), set()
    for _ in range(10):
        begin, enough = len(server.log), len(served()) + rng.randint(1, 12)
        process = start("killed")
        while len(served()) < enough:
            assert process.poll() is None
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.05))
        process.kill()
        process.wait()
        asked_twice |= kept & {seen.path for seen in server.log[begin:]}
        kept = kept_paths(tmp_path / "killed/store/journal.jsonl")
    assert len(kept) > 20 and start("killed").wait() == 0
    assert not asked_twice and set(served()) == {f"/nap/{n}.png" for n in range(150)}
    # what was on its way when the process died, and no more than that
    assert len(served()) - 150 <= 10 * 2 * AT_ONCE
    assert start("quiet").wait() == 0
    killed, quiet = (tables(tmp_path / folder) for folder in ("killed", "quiet"))
    assert killed == quiet and sum(row["status"] == "ok" for row in quiet) == 150


def kept_paths(journal: Path) -> set[str]:
    lines = journal.read_bytes().splitlines(keepends=True) if journal.exists() else []
    return {httpx.URL(json.loads(line)["url"]).path for line in lines if line.endswith(b"}\n")}


def tables(folder: Path) -> list[dict[str, Any]]:
    rows = pq.read_table(folder / "manifest.parquet").to_pylist()
    for row in rows:
        if row["status"] == "ok":
            assert sha256((folder / "out/files" / row["path"]).read_bytes()).hexdigest() == row["sha256"]
    return [row | {"time": ""} for row in rows]


def test_a_line_cut_short_counts_as_none(server, fetch, tmp_path):
    """A body without its line is asked for again, and what comes after it is kept."""
    wanted = [server.url(f"ok/{n}.png") for n in range(3)]
    before = fetch(*wanted)
    journal = tmp_path / "store/journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    again = fetch(*wanted, out="again")
    assert [replace(row, time="") for row in again] == [replace(row, time="") for row in before]
    count = len(server.log)
    assert fetch(*wanted, out="third") == again and len(server.log) == count
