"""What was fetched from the web is kept: a run that is ended, killed or made again asks for nothing twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from stages.scrape.web.download import finish
from stages.scrape.web.guard import LOOPBACK
from tests.support.checkouts import environment
from tests.support.deps import ROOT
from tests.support.web_fetch import reasons
from tests.support.web_server import HOSTS, WebServer, png

AT_ONCE = 4  # of SCRIPT, over both hosts


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


def test_a_kept_picture_that_is_damaged_is_a_failed_row_and_fetched_again(server, fetch, tmp_path):
    wanted = [server.url("ok/1.png"), server.url("ok/2.png")]
    first = fetch(*wanted)
    body = tmp_path / "store/bodies" / first[0].sha256[:2] / first[0].sha256
    body.write_bytes(bytes(body.stat().st_size))
    with open(tmp_path / "store/journal.jsonl", "ab") as journal:
        journal.write(b'[1]\n{"url": 1}\n' + bytes(9) + b"\n")
    assert reasons(fetch(*wanted, out="damaged")) == ["what was kept of it is damaged", "ok"]
    assert [row.sha256 for row in fetch(*wanted, out="again")] == [row.sha256 for row in first]


def test_a_passing_failure_is_tried_again_by_the_next_run(server, fetch):
    """Also if the run before was not finished; what the server denied for good is not."""
    wanted = [server.url("ill/2"), server.url("gone/1")]
    assert reasons(fetch(*wanted)) == ["503 Told", "404 Told"]
    assert reasons(fetch(*wanted)) == ["ok", "404 Told"]
    assert len(server.asked("gone/1")) == 1


def test_two_runs_do_not_share_a_store(server, fetch, tmp_path):
    from filelock import FileLock

    from creatures.runtime.errors import UserError

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
        more = rng.randint(1, 12)
        begin, enough = len(server.log), len(served()) + more
        server.budget = more + 2 * AT_ONCE  # so that it cannot end; those of the last run that wait take some
        process = start("killed")
        while len(served()) < enough:
            assert process.poll() is None
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.05))
        process.kill()
        process.wait()
        asked_twice |= kept & {seen.path for seen in server.log[begin:]}
        kept = kept_paths(tmp_path / "killed/store/journal.jsonl")
    server.budget = 10**9
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
