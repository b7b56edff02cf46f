"""Sources from the web, each against a server that answers as such sites do."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.lib.params import UserError
from stages.scrape import danbooru, search
from stages.scrape.archive import ArchiveParams, unpack_archives
from stages.scrape.danbooru import DanbooruParams, fetch_posts
from stages.scrape.huggingface import HuggingfaceParams, fetch_tables
from stages.scrape.kaggle import KaggleParams, fetch_dataset
from stages.scrape.manifest import Row
from stages.scrape.search import SearchParams, fetch_found
from stages.scrape.site import Site
from stages.scrape.tags import TagFilter
from stages.scrape.web.download import Wanted
from stages.scrape.web.guard import LOOPBACK
from stages.scrape.web.params import WebParams
from tests.pictures_zoo import flag, saved
from tests.site_server import Answer, Asked, SiteServer, as_json, serving
from tests.test_archives import tar
from tests.test_scrape import by_path, written

PICTURE = saved(flag(), "PNG")
Serve = Callable[[Callable[[Asked], Answer]], SiteServer]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts a server that may be asked although it is on this machine."""
    with ExitStack() as stack:

        def start(answer: Callable[[Asked], Answer]) -> SiteServer:
            server = stack.enter_context(serving(answer))
            monkeypatch.setenv(LOOPBACK, str(server.port))
            return server

        yield start


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "out", WebParams(per_second=0, retries=2, timeout_s=5), tmp_path / "store")


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[Wanted]:
    """What sources hand to the downloader, which has tests of its own."""
    found: list[Wanted] = []

    def fetch_pictures(wanted: list[Wanted], site: Site) -> list[Row]:
        found.extend(wanted)
        return []

    for module in (search, danbooru):
        monkeypatch.setattr(module, "fetch_pictures", fetch_pictures)
    return found


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


# archives by address


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
    assert [path for path in site.store.rglob("*") if path.is_file()] == []


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


def test_servers_that_refuse_or_are_private_are_one_line(serve, site, monkeypatch):
    server = serve(lambda asked: Answer(status=404))
    with pytest.raises(UserError, match="404 Not Found"):
        unpack_archives(site, ArchiveParams(url=f"{server.url}/a.zip"))
    monkeypatch.delenv(LOOPBACK)
    with pytest.raises(UserError, match="not globally reachable"):
        unpack_archives(site, ArchiveParams(url=f"{server.url}/a.zip"))
    assert len(server.asked) == 1


# kaggle


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
    rows = by_path(fetch_dataset(site, params))
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


# huggingface

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
    with pytest.raises(UserError, match="cannot fetch some/set at revision v1 from Hugging Face") as error:
        fetch_tables(site, HuggingfaceParams(dataset="some/set", revision="v1"))
    assert "\n" not in str(error.value)


# search


@pytest.fixture
def engine(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Serve:
    from ddgs.engines.duckduckgo_images import DuckduckgoImages

    def start(answer: Callable[[Asked], Answer]) -> SiteServer:
        server = serve(answer)
        monkeypatch.setattr(DuckduckgoImages, "search_url", f"{server.url}/i.js")
        monkeypatch.setattr(DuckduckgoImages, "_get_vqd", lambda self, query: "4-1234")
        return server

    return start


def results(asked: Asked) -> Answer:
    """Three a page, two pages, for mew; the second page repeats one of the first."""
    first = int(asked.query.get("s", 0)) // 100 * 2
    found = [
        {
            "title": f"Mew {i}",
            "image": f"https://pictures.example.org/{i}.png",
            "url": f"https://example.org/{i}",
            "thumbnail": f"https://thumbs.example.org/{i}",
            "height": 400,
            "width": 300,
            "source": "Bing",
        }
        for i in range(first, first + 3)
    ]
    return as_json({"results": found if "mew" in asked.query["q"] and first < 4 else [], "next": "i.js?q=x"})


def test_search_asks_for_each_label_safely_and_hands_over_what_it_finds(engine, site, asked_for):
    server = engine(results)
    params = SearchParams(labels=["mew", "missingno"], query="{label} pokemon artwork", most=4)
    (missed,) = fetch_found(site, params)
    assert [(w.url[-5:], w.label, w.licence, w.source) for w in asked_for] == [
        (f"{i}.png", "mew", f"unknown; found on https://example.org/{i}", "search") for i in range(4)
    ] or {w.url[-5:] for w in asked_for} == {f"{i}.png" for i in range(4)}
    assert {a.query["q"] for a in server.asked} == {"mew pokemon artwork", "missingno pokemon artwork"}
    assert {a.query["p"] for a in server.asked} == {"1"}  # safe search
    assert (missed.label, missed.status, missed.reason) == ("missingno", "failed", "none found")


def test_a_search_that_finds_nothing_at_all_is_one_line(engine, site, asked_for):
    engine(lambda asked: Answer(b"blocked", 403))
    with pytest.raises(UserError, match="the search found no pictures") as error:
        fetch_found(site, SearchParams(labels=["mew"]))
    assert "\n" not in str(error.value)


# danbooru


def test_tag_filters_join_and_or_not_and_ratings():
    """All of a truth table of four tags and two ratings."""
    asked = TagFilter(frozenset("a"), frozenset("bc"), frozenset("d"), frozenset("gs"))
    for has in product((False, True), repeat=4):
        tags = {tag for tag, there in zip("abcd", has, strict=True) if there}
        for rating in "gq":
            a, b, c, d = has
            assert asked.fits(tags, rating) == (a and (b or c) and not d and rating == "g")
    nothing = TagFilter(frozenset(), frozenset(), frozenset(), frozenset())
    assert nothing.fits((), "e") and nothing.fits("abcd", "")


def dumped(number: int, tags: dict[str, str], rating: str = "s", **more: object) -> dict:
    """A line of a yearly dump."""
    said = [{"id": str(len(name)), "name": name, "category": category} for name, category in tags.items()]
    md5 = f"{number:032x}"
    return {"id": str(number), "rating": rating, "file_ext": "jpg", "md5": md5, "tags": said, "is_banned": False} | more


POSTS = [
    dumped(1, {"pokemon": "3", "mew": "4", "solo": "0"}),
    dumped(2, {"pokemon": "3", "mew": "4", "comic": "5"}),
    dumped(3, {"pokemon": "3", "mew": "4", "eevee": "4"}),
    dumped(4, {"digimon": "3", "agumon": "4"}),
    dumped(5, {"pokemon": "3"}, rating="e"),
    dumped(6, {"pokemon": "3"}, file_ext="mp4"),
    dumped(7, {"pokemon": "3"}, is_banned=True),
]


@pytest.mark.parametrize(("ending", "opener"), [("", open), (".gz", gzip.open), (".xz", lzma.open)])
def test_a_metadata_file_gives_the_addresses_of_posts_that_fit(ending, opener, site, asked_for, tmp_path):
    with opener(f"{tmp_path}/2019.json{ending}", "wt") as out:
        out.write("\n".join(map(json.dumps, POSTS)))
    params = DanbooruParams(metadata=f"{tmp_path}/2019.json{ending}", all=["pokemon"], none=["comic"], ratings=["s"])
    with pytest.raises(UserError, match="no post with a picture"):
        fetch_posts(site, params.model_copy(update={"all": ["none such"]}))
    fetch_posts(site, params)
    assert [(w.url, w.label) for w in asked_for] == [
        (f"https://cdn.donmai.us/original/00/00/{1:032x}.jpg", "mew"),
        (f"https://cdn.donmai.us/original/00/00/{3:032x}.jpg", ""),  # of two characters: neither
    ]
    assert asked_for[0].licence == "unknown; see https://danbooru.donmai.us/posts/1"
    fetch_posts(site, params.model_copy(update={"labels": ["eevee", "mew"], "most": 2}))
    assert [w.label for w in asked_for[2:]] == ["mew", "eevee"]


def test_a_broken_metadata_file_is_one_line(site, asked_for, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(POSTS[0]) + "\n{broken\n")
    with pytest.raises(UserError, match=r"a\.json: line 2 cannot be read"):
        fetch_posts(site, DanbooruParams(metadata=str(tmp_path / "a.json")))
    with pytest.raises(UserError, match="there is no such file"):
        fetch_posts(site, DanbooruParams(metadata=str(tmp_path / "b.json")))


def live(number: int, general: str, character: str, rating: str = "g") -> dict:
    """A post as the site's API gives it."""
    return {
        "id": number,
        "rating": rating,
        "file_ext": "png",
        "md5": f"{number:032x}",
        "file_url": f"https://files.example.org/{number}.png",
        "tag_string": f"pokemon {general} {character}".strip(),
        "tag_string_general": general,
        "tag_string_character": character,
        "tag_string_copyright": "pokemon",
        "tag_string_artist": "",
        "tag_string_meta": "",
    }


def test_the_site_is_asked_page_by_page_and_after_a_pause_again(serve, site, asked_for):
    pages = {
        "": [live(9, "solo", "mew"), live(8, "comic", "mew")],
        "b8": [live(7, "solo", "eevee"), live(5, "solo", "mew", "q")],
        "b5": [],
    }
    busy = iter([Answer(b"slow down", 429, {"Retry-After": "0"})])
    server = serve(lambda asked: next(busy, None) or as_json(pages[asked.query.get("page", "")]))
    params = DanbooruParams(base=server.url, all=["pokemon", "solo", "1girl"], none=["comic"])
    with pytest.raises(UserError, match="no post with a picture"):
        fetch_posts(site, params)
    fetch_posts(site, params.model_copy(update={"all": ["pokemon", "solo"]}))
    assert [(w.url, w.label) for w in asked_for] == [
        ("https://files.example.org/9.png", "mew"),
        ("https://files.example.org/7.png", "eevee"),
    ]
    assert {(a.path, a.query["tags"], a.query["limit"]) for a in server.asked} == {
        ("/posts.json", "pokemon solo", "200")
    }
    assert [a.query.get("page", "") for a in server.asked] == ["", "", "b8", "b5", "", "b8", "b5"]
    assert server.asked[0].headers["user-agent"] == "creature-pipeline/0.1"


def test_a_site_that_refuses_is_one_line(serve, site, asked_for):
    server = serve(lambda asked: as_json({"success": False, "message": "You cannot search for more than 2 tags"}, 422))
    with pytest.raises(UserError, match=r"posts\.json: 422"):
        fetch_posts(site, DanbooruParams(base=server.url, any=["mew"]))
    server = serve(lambda asked: Answer(b"<html>one moment</html>"))
    with pytest.raises(UserError, match="the answer is no JSON"):
        fetch_posts(site, DanbooruParams(base=server.url, any=["mew"]))
