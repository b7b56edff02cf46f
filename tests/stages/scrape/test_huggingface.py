"""Data sets of Hugging Face, from a server that answers as its hub does."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from creatures.runtime.errors import UserError
from stages.scrape.huggingface import HuggingfaceParams, fetch_tables
from stages.scrape.site import Site
from tests.stages.scrape.test_scrape import by_path, written
from tests.support.pictures_zoo import flag, saved
from tests.support.site_server import Answer, Asked, Serve, SiteServer, as_json

PICTURE = saved(flag(), "PNG")


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def table(labels: list[int | None], names: list[str] | None) -> bytes:
    """A Parquet file as the library `datasets` writes them."""
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = {
        "image": pa.array([{"bytes": PICTURE, "path": f"{i}.png"} for i in range(len(labels))], image),
        "label": pa.array(labels, pa.int64()),
    }
    features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
    about = {"huggingface": json.dumps({"info": {"features": features}})} if names else {}
    out = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata(about), out)
    return out.getvalue()


@pytest.fixture
def hub(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[dict[str, bytes]], SiteServer]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def start(files: dict[str, bytes]) -> SiteServer:
        def answer(asked: Asked) -> Answer:
            if asked.path == "/api/datasets/some/set/revision/v1":
                siblings = [{"rfilename": name} for name in ["README.md", *files]]
                return as_json(
                    {"id": "some/set", "sha": COMMIT, "siblings": siblings, "cardData": {"license": "cc0-1.0"}}
                )
            name = asked.path.removeprefix(f"/datasets/some/set/resolve/{COMMIT}/")
            if name not in files:
                return Answer(b"{}", 404, {"X-Error-Code": "RepoNotFound"})
            return Answer(files[name], 200, {"ETag": f'"{name}"', "X-Repo-Commit": COMMIT})

        server = serve(answer)
        address = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", address)
        return server

    return start


def test_a_hugging_face_set_gives_pictures_with_the_names_of_their_classes(hub, site):
    server = hub({"data/train-0.parquet": table([1, 0, None], ["cat", "dog"]), "data/test-0.parquet": table([0], None)})
    params = HuggingfaceParams(dataset="some/set", revision="v1")
    rows = by_path(fetch_tables(site, params))
    assert {path: row.label for path, row in rows.items()} == {
        "data/train-0/00000000.png": "dog",
        "data/train-0/00000001.png": "cat",
        "data/train-0/00000002.png": "",
        "data/test-0/00000000.png": "0",
    }
    row = rows["data/train-0/00000001.png"]
    assert (row.licence, row.url) == ("cc0-1.0", f"huggingface:some/set@{COMMIT}/data/train-0.parquet#1")
    assert written(site.out) == set(rows)
    asked = len(server.asked)
    again = Site(site.out / "2", site.web, site.store)
    assert len(fetch_tables(again, params.model_copy(update={"files": "*/train-*", "most": 2}))) == 2
    assert len(server.asked) == asked + 1  # what it is, not its files once more


def test_a_picture_without_a_class_has_no_label(hub, site):
    hub({"classes.parquet": table([-1, 1, 2], ["cat", "dog"]), "numbers.parquet": table([-1], None)})
    rows = fetch_tables(site, HuggingfaceParams(dataset="some/set", revision="v1"))
    assert [row.label for row in rows] == ["", "dog", "", "-1"]


def test_hugging_face_failures_are_one_line(hub, site, monkeypatch):
    hub({"data/train-0.parquet": table([1], None), "broken.parquet": b"PAR1 is all there is"})
    for keys, line in {
        (("dataset", "some/other"),): "has no data set some/other at revision v1, or it is private",
        (("files", "*/test-*"),): "some/set has no file .* refs/convert/parquet",
        (("image", "picture"), ("files", "data/*")): "has no column picture, only image, label",
        (("files", "broken*"),): "cannot read broken.parquet",
    }.items():
        with pytest.raises(UserError, match=line):
            fetch_tables(site, HuggingfaceParams(**{"dataset": "some/set", "revision": "v1"} | dict(keys)))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="Hugging Face, data set some/set at revision v1: ") as error:
        fetch_tables(site, HuggingfaceParams(dataset="some/set", revision="v1"))
    assert "\n" not in str(error.value)
