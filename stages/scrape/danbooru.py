"""The source `danbooru`: posts by their tags, from the site or from a metadata file."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from creatures.intake.names import is_picture
from creatures.runtime.config import one_of
from creatures.runtime.errors import UserError
from stages.scrape.braces import expanded
from stages.scrape.fetch import fetch_pictures, pause, read_json
from stages.scrape.manifest import Row
from stages.scrape.site import Site, SourceParams
from stages.scrape.tags import CATEGORIES, Post, TagFilter, label_of, read_post
from stages.scrape.web.download import Wanted

OPENERS: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open}
ASKED = 2  # tags per query that the site allows everyone; the filter checks the others
PAGE = 200  # posts per response, the site's maximum


class DanbooruParams(SourceParams):
    all: list[str] = Field([], description="tags that a post must have")
    any: list[str] = Field([], description="tags of which it must have one")
    none: list[str] = Field([], description="tags that it must not have")
    ratings: list[str] = Field(["g"], description="as the site writes them, g s q e; in dumps before 2022, s is safe")
    labels: list[str] = Field([], description="tags that are labels, the first that a post has")
    label_category: Annotated[str, one_of(CATEGORIES)] = Field(
        "character", description="else its one tag of this category"
    )
    metadata: str = Field(
        "", description="a file of posts, JSON by lines, .gz or .xz, below scrape.own; may have braces"
    )
    base: str = Field("https://danbooru.donmai.us", pattern="^https?://.+[^/]$", description="the site to ask else")
    files: str = Field("https://cdn.donmai.us/original", pattern="^https?://.+[^/]$", description="where originals lie")

    @model_validator(mode="after")
    def _asks_for_something(self) -> DanbooruParams:
        if not (self.metadata or self.all or self.any):
            raise ValueError("the site needs tags to look for: all or any")
        return self

    @property
    def filter(self) -> TagFilter:
        return TagFilter(*map(frozenset, (self.all, self.any, self.none, self.ratings)))


def fetch_posts(site: Site, params: DanbooruParams) -> list[Row]:
    """Download the pictures of the posts that match.

    Raises:
        UserError: the metadata file does not exist or cannot be read; the site does not answer;
            no post matches.
    """
    entries = _read_metadata(params) if params.metadata else _query_site(site, params)
    wanted = list(islice(_wanted(entries, params), params.most or None))
    if not wanted:
        raise UserError("no post with a picture has these tags and ratings")
    return fetch_pictures(wanted, site)


def _wanted(entries: Iterator[Any], params: DanbooruParams) -> Iterator[Wanted]:
    query, seen = params.filter, set()
    for entry in entries:
        post = read_post(entry, params.files)
        if post and post.id not in seen and is_picture(urlsplit(post.url).path) and query.fits(post.tags, post.rating):
            seen.add(post.id)
            yield Wanted(post.url, _label(post, params), f"unknown; see {params.base}/posts/{post.id}", "danbooru")


def _label(post: Post, params: DanbooruParams) -> str:
    return label_of(post, params.labels, params.label_category)


def _read_metadata(params: DanbooruParams) -> Iterator[Any]:
    for name in expanded(params.metadata):
        number = 0
        try:
            with OPENERS.get(Path(name).suffix, open)(name, "rt", encoding="utf-8") as lines:
                for number, line in enumerate(lines, 1):  # noqa: B007
                    if line.strip():
                        yield json.loads(line)
        except FileNotFoundError:
            raise UserError(f"{name}: there is no such file") from None
        except (ValueError, EOFError, OSError, lzma.LZMAError) as error:
            raise UserError(f"{name}: line {number} cannot be read: {error}") from None


def _query_site(site: Site, params: DanbooruParams) -> Iterator[Any]:
    """All posts of a query, newest first: each page begins below the last post's id, so that none is missed."""
    for query in [" ".join(params.all[:ASKED])] if params.all else params.any:
        page = ""
        while True:
            query_params = {"tags": query, "limit": str(PAGE)} | ({"page": page} if page else {})
            posts = read_json(f"{params.base}/posts.json", query_params, site)
            if not isinstance(posts, list) or not posts:
                break
            yield from posts
            last = min((int(post["id"]) for post in posts if str(post.get("id", "")).isdigit()), default=0)
            if not last or page == f"b{last}":
                break
            page = f"b{last}"
            pause(site)
