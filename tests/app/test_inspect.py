"""The page that shows what was kept and dropped, and writes what a person decides otherwise."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
from PIL import Image

from app.inspect.page import write_html
from bench.browser import ALONE, CHROMIUM
from creatures.data.vetoes import read_vetoes
from creatures.runtime.errors import UserError
from stages.clean.__main__ import main as clean
from stages.harness.stage import Stage
from stages.scrape.__main__ import main as scrape
from tests.stages.clean.test_clean_stage import figure, run
from tests.support.checkouts import environment, free_port
from tests.support.deps import ROOT
from tests.support.pictures_zoo import BAD, gif

HTTP = httpx.Client(timeout=120)  # the machine may be busy
ODD_NAME = "kind/<img src=x onerror=alert(1)>.png"
FILES = {f"kind/{seed}.png": figure(seed) for seed in range(30)} | {
    "kind/copy.png": figure(0),
    "loop.gif": gif(6),
    "text.png": BAD["text.png"][0],
    "small.png": BAD["small.png"][0],
    ODD_NAME: figure(50),
}


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory) -> Path:
    """Where `clean` has run, with a copy, a picture that is too small and a file that is none."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        folder = tmp_path_factory.mktemp("cleaned")
        run(folder, monkeypatch, FILES, "val_share: 0.3, test_share: 0")
    return folder


@pytest.fixture
def folder(cleaned, tmp_path, monkeypatch) -> Path:
    """A copy of it, to work in."""
    shutil.copytree(cleaned, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for Daft's processes
    return tmp_path


@pytest.fixture
def page(folder) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "app", "inspect", "--port", str(port)]
    settings = environment() | {"PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(command, cwd=folder, env=settings, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None and "127.0.0.1" in server.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        assert server.wait(120) == 0


def dropped() -> dict[str, str]:
    return {row["source"]: row["reason"] for row in pq.read_table("data/clean/dropped.parquet").to_pylist()}


def test_a_picture_is_vetoed_and_gone_and_taken_back(page):
    def veto(name: str, verdict: str) -> int:
        return HTTP.post(f"{page}/veto", json={"name": name, "verdict": verdict}).status_code

    assert veto("kind/3.png#0", "drop") == veto("kind/4.png#0", "drop") == veto("kind/4.png#0", "") == 200
    assert read_vetoes() == {"kind/3.png#0": "drop"}
    clean(Stage("clean"))
    assert {path: reason for path, reason in dropped().items() if reason == "vetoed"} == {"kind/3.png": "vetoed"}


@pytest.mark.parametrize("change", ["another file", "the same name"])
def test_pictures_that_were_scraped_since_are_not_shown_as_those_that_were_cleaned(folder, change):
    """A dropped file is shown as it came: under an old name there may be another picture by now."""
    write_html(Path("page.html"), 5)
    if change == "another file":
        (folder / "mine/kind/3.png").rename(folder / "mine/kind/300.png")
        scrape(Stage("scrape"))
    else:
        path = "{{path: data/raw, md5: {}.dir}}"
        entries = f"clean: {{deps: [{path.format('a')}]}}, scrape: {{outs: [{path.format('b')}]}}"
        Path("dvc.lock").write_text(f"schema: '2.0'\nstages: {{{entries}}}\n")
    with pytest.raises(UserError, match=r"data/clean was made of other pictures than those in data/raw; run dvc repro"):
        write_html(Path("page.html"), 5)


def test_every_picture_that_can_be_shown_is(page, folder):
    numbers = range(len(FILES) + 1)  # two frames of the animation
    answers = [HTTP.get(f"{page}/thumb/{number}") for number in numbers]
    assert [answer.status_code for answer in answers].count(404) == 1  # the file that is no picture
    sizes = [Image.open(io.BytesIO(answer.content)).size for answer in answers if answer.status_code == 200]
    assert (10, 15) in sizes and sizes.count((64, 64)) == len(pq.read_table("data/clean/index.parquet"))
    wrong = ("thumb/999", "etc/passwd", f"thumb/{'9' * 5000}")
    assert [HTTP.get(f"{page}/{path}").status_code for path in wrong] == [404] * 3


def test_nobody_else_can_ask(page):
    good = {"name": "kind/3.png#0", "verdict": "drop"}
    assert HTTP.get(page, headers={"Host": "evil.example"}).status_code == 403
    assert HTTP.post(f"{page}/veto", json=good, headers={"Host": "evil.example"}).status_code == 403
    assert HTTP.post(f"{page}/veto", data=good).status_code == 403  # what a form of any site can send
    for wrong in (good | {"name": "x\ndrop y"}, good | {"verdict": "burn"}, [], {"name": ["a"], "verdict": ""}, "x"):
        assert HTTP.post(f"{page}/veto", json=wrong).status_code == 400
    assert HTTP.post(f"{page}/veto", content="[" * 9000, headers={"Content-Type": "application/json"}).is_error
    assert read_vetoes() == {}
    Path("data/vetoes.txt").write_bytes(b"drop caf\xe9.png\n")
    answers = [HTTP.get(page), HTTP.post(f"{page}/veto", json=good)]
    assert [(answer.status_code, "not UTF-8" in answer.text) for answer in answers] == [(409, True)] * 2


def test_a_file_holds_all_it_needs_and_few_of_each_reason(folder):
    text = write_html(folder / "out/page.html", 5).read_text()
    assert text.count("data:image/webp;base64,") in (7, 8)  # five kept, a small one, a copy and perhaps what it copies
    assert '"reason": "too small"' in text and "<img src=x" not in text and "{{data}}" not in text


@pytest.mark.skipif(not CHROMIUM, reason="there is no chromium")
def test_by_mouse_served_and_as_a_file(page, folder):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ALONE)
        tab = browser.new_page()
        errors: list[str] = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto(page)
        tab.locator("main button", has_text="kind/7.png").click()
        tab.wait_for_selector("main button[data-verdict=drop]")
        tab.select_option("#reason", "exact copy")
        assert tab.locator("main button img").count() == 2  # the copy, and what it is a copy of
        tab.locator("main button").click()
        tab.wait_for_selector("main button[data-verdict=keep]")
        tab.reload()
        tab.select_option("#reason", "vetoes")
        assert tab.locator("main button").count() == 2
        tab.select_option("#reason", "kept")
        tab.fill("#label", "nothing")
        assert tab.locator("main button").count() == 0
        assert sorted(read_vetoes().values()) == ["drop", "keep"]

        tab.goto(write_html(folder / "page.html", 100).as_uri())
        tab.locator("main button", has_text=ODD_NAME).click()
        lines = tab.locator("textarea").input_value()
        assert f"drop {ODD_NAME}#0\n" in lines and "drop kind/7.png#0\n" in lines
        assert tab.evaluate("[...document.images].every(image => image.complete && image.naturalWidth)")
        browser.close()
    assert errors == [] and len(read_vetoes()) == 2  # a file writes nothing
