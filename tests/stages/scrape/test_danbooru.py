"""Posts by their tags, from dumps and from a server that answers as the site does."""

from __future__ import annotations

import gzip
import json
import lzma
from itertools import product

import pytest

from creatures.runtime.errors import UserError
from stages.scrape.danbooru import DanbooruParams, fetch_posts
from stages.scrape.tags import TagFilter
from tests.stages.scrape.test_scrape import written
from tests.support.pictures_zoo import flag, saved
from tests.support.site_server import Answer, Asked, as_json

PICTURE = saved(flag(), "PNG")


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
    with pytest.raises(UserError, match="a brace is missing"):
        fetch_posts(site, DanbooruParams(metadata="{a,b"))


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


def test_posts_come_as_pictures_with_labels_and_where_they_are_from(serve, site):
    def answer(asked: Asked) -> Answer:
        if asked.path == "/posts.json":
            posts = [live(2, "solo", "mew"), live(1, "solo", "eevee")] if "page" not in asked.query else []
            return as_json([post | {"file_url": f"http://{asked.headers['host']}/{post['id']}.png"} for post in posts])
        return Answer(PICTURE) if asked.path == "/2.png" else Answer(status=404)

    server = serve(answer)
    fetched, lost = fetch_posts(site, DanbooruParams(base=server.url, all=["pokemon"]))
    assert (fetched.status, fetched.label, fetched.source) == ("ok", "mew", "danbooru")
    assert fetched.licence == f"unknown; see {server.url}/posts/2" and fetched.time
    assert (lost.status, lost.label, lost.reason) == ("failed", "eevee", "404 Not Found")
    assert written(site.out) == {fetched.path}


def test_posts_of_which_no_picture_can_be_fetched_are_one_line(serve, site, tmp_path):
    server = serve(lambda asked: Answer(status=404))
    (tmp_path / "a.json").write_text(json.dumps(POSTS[0]))
    params = DanbooruParams(metadata=str(tmp_path / "a.json"), ratings=["s"], files=f"{server.url}/original")
    with pytest.raises(UserError, match=r"no picture could be fetched; the first address: .*: 404 Not Found"):
        fetch_posts(site, params)
    assert server.asked[-1].path == f"/original/00/00/{1:032x}.jpg"
