"""Pictures from the web: none lost, none asked for twice, no server annoyed, no private one reached."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from stages.scrape.web import retry
from stages.scrape.web.download import Wanted
from stages.scrape.web.engine import Asked, by_turns
from stages.scrape.web.guard import LOOPBACK
from stages.scrape.web.signature import suffix
from tests.support.pictures_zoo import flag, saved
from tests.support.web_fetch import QUICK, reasons
from tests.support.web_server import HOSTS, png


@pytest.fixture
def other():
    """Another port of this machine, where something listens."""
    with socket.create_server((HOSTS[0], 0)) as listening:
        yield listening


def test_a_picture_is_kept_with_all_that_is_known_of_it(server, fetch, tmp_path):
    wanted = Wanted(server.url("ok/7.png"), "Mr. Mime", "CC0", "search")
    before = datetime.now(UTC)
    (row,) = fetch(wanted)
    assert (row.label, row.source, row.url, row.licence, row.status) == ("Mr. Mime", "search", wanted.url, "CC0", "ok")
    assert (tmp_path / "out/files" / row.path).read_bytes() == png(7)
    assert row.path.startswith("search/mr-mime/") and row.path.endswith(".png") and row.bytes == len(png(7))
    assert before.replace(microsecond=0) <= datetime.fromisoformat(row.time) <= datetime.now(UTC)
    assert server.log[-1].headers["user-agent"] == QUICK.agent


def test_what_fails_costs_one_row(server, fetch, other):
    """All kinds of answers that are no picture, and one good address between them."""
    private = f"http://127.0.0.1:{other.getsockname()[1]}/a.png"
    rows = fetch(
        server.url("gone/1"),
        server.url("html/1.png"),
        server.url("type/1.png"),
        server.url("endless/1"),
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
    assert reasons(rows)[:15] == [
        "404 Told",
        "not a picture (HTML)",
        "not a picture",
        "longer than 50000 bytes",
        "more than 10 redirects",
        "503 Told",
        "ok",
        *["not a web address"] * 3,
        *[f"robots.txt: {refused}"] * 2,
        *[f"redirected: robots.txt: {refused}"] * 2,
        "redirected: not a web address",
    ]
    assert "peer closed connection" in rows[15].reason
    assert len(server.asked("ill/99")) == 1 + QUICK.retries


def test_an_answer_that_takes_too_long_costs_one_row(server, fetch):
    rows = fetch(server.url("slow/1"), params=QUICK.model_copy(update={"timeout_s": 1.5, "robots": False}))
    assert reasons(rows) == ["took longer than 1.5 s"]
    assert reasons(fetch(server.url("ok/1.png"))) == ["ok"]


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
    server.together = 4
    fetch(*wanted, params=QUICK.model_copy(update={"per_host": 2}))
    assert server.peak == {HOSTS[0]: 2, HOSTS[1]: 2, "": 4}
    server.peak.clear()
    server.together = 3
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
    kinds = {"BMP": ".bmp", "TIFF": ".tif", "AVIF": ".avif", "ICO": ".ico", "PPM": ".ppm", "WEBP": ".webp"}
    assert {kind: suffix(saved(flag("RGB"), kind)) for kind in kinds} == kinds
