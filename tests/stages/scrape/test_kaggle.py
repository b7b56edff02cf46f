"""Data sets of Kaggle, from a server that answers as its API does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from creatures.runtime.errors import UserError
from stages.scrape.kaggle import KaggleParams, fetch_dataset
from stages.scrape.site import Site
from tests.stages.scrape.test_fetch import packed
from tests.stages.scrape.test_scrape import by_path, rows_of
from tests.support.pictures_zoo import flag, saved
from tests.support.site_server import Answer, Asked, Serve, SiteServer, as_json

PICTURE = saved(flag(), "PNG")


@pytest.fixture
def kaggle(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Serve:
    from kagglesdk import kaggle_env

    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("KAGGLE_API_TOKEN", raising=False)

    def start(answer: Callable[[Asked], Answer]) -> SiteServer:
        server = serve(answer)
        monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.LOCAL, server.url)
        return server

    return start


def test_a_kaggle_set_is_fetched_once_and_labelled_by_folder(kaggle, site):
    files = {"Set/Abra/1.png": PICTURE, "Set/Mew/2.jpg": PICTURE, "about.csv": b"x"}
    server = kaggle(lambda asked: Answer(packed(files), 200, {"Content-Type": "application/zip"}))
    params = KaggleParams(dataset="some-one/creatures", version=3, inside="Set")
    rows = by_path(rows_of(site, params))
    assert {path: (row.label, row.source) for path, row in rows.items()} == {
        "Abra/1.png": ("Abra", "kaggle"),
        "Mew/2.jpg": ("Mew", "kaggle"),
    }
    assert rows["Abra/1.png"].url == "kaggle:some-one/creatures/versions/3/Set/Abra/1.png"
    (asked,) = server.asked
    assert asked.path == "/api/v1/datasets.DatasetApiService/DownloadDataset"
    said = json.loads(asked.body)
    assert (said["ownerSlug"], said["datasetSlug"], said["datasetVersionNumber"]) == ("some-one", "creatures", 3)
    fetch_dataset(Site(site.out / "2", site.web, site.store), params)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (403, r"^Kaggle does not give a/b/versions/1 \(403\): set KAGGLE_API_TOKEN"),
        (404, r"^Kaggle has no data set a/b/versions/1 \(404\)$"),
        (500, r"^cannot fetch a/b/versions/1: Kaggle answers 500$"),
    ],
)
def test_kaggle_failures_are_one_line(kaggle, site, status, line):
    kaggle(lambda asked: as_json({"code": status, "message": "no"}, status))
    with pytest.raises(UserError, match=line):
        fetch_dataset(site, KaggleParams(dataset="a/b", version=1))


def test_without_a_network_kaggle_is_one_line(kaggle, site, monkeypatch):
    from kagglesdk import kaggle_env

    kaggle(lambda asked: Answer())
    monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.LOCAL, "http://127.0.0.1:9")
    with pytest.raises(UserError, match="no connection to Kaggle"):
        fetch_dataset(site, KaggleParams(dataset="a/b", version=1))


def test_what_is_no_archive_is_one_line(kaggle, site):
    kaggle(lambda asked: Answer(b"<html>one moment</html>"))
    with pytest.raises(UserError, match=r"^cannot fetch a/b/versions/1: Unsupported archive type\.$"):
        fetch_dataset(site, KaggleParams(dataset="a/b", version=1))
