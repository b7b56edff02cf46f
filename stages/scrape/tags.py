"""Posts of an image board, and which of them fit: tags joined by and, or, not, and ratings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

CATEGORIES = {"general": "0", "artist": "1", "copyright": "3", "character": "4", "meta": "5"}


@dataclass(frozen=True)
class TagFilter:
    """Fits what has each tag of `all`, one or more of `any`, and none of `none`.

    An empty list asks for nothing, and so does an empty list of ratings.
    """

    all: frozenset[str]
    any: frozenset[str]
    none: frozenset[str]
    ratings: frozenset[str]

    def fits(self, tags: Collection[str], rating: str) -> bool:
        has = frozenset(tags)
        return (
            self.all <= has
            and (not self.any or not self.any.isdisjoint(has))
            and self.none.isdisjoint(has)
            and (not self.ratings or rating in self.ratings)
        )


@dataclass(frozen=True)
class Post:
    """A picture of an image board; `tags` are names and the numbers of their categories."""

    id: int
    tags: Mapping[str, str]
    rating: str
    url: str


def read_post(said: Any, files: str) -> Post | None:
    """A post as the site's API or a yearly dump writes it; None without an address.

    Args:
        files: where the originals lie, by their MD5, for posts that give no address.
    """
    if not isinstance(said, dict) or not str(said.get("id", "")).isdigit():
        return None
    md5, ending = str(said.get("md5") or ""), str(said.get("file_ext") or "")
    url = str(said.get("file_url") or "")
    if not url.startswith("http"):
        url = f"{files}/{md5[:2]}/{md5[2:4]}/{md5}.{ending}" if md5 and ending and not said.get("is_banned") else ""
    return Post(int(said["id"]), _tags(said), str(said.get("rating", "")), url) if url else None


def _tags(said: Mapping[str, Any]) -> dict[str, str]:
    if isinstance(said.get("tags"), list):  # the yearly dumps
        return {str(tag["name"]): str(tag.get("category", "")) for tag in said["tags"] if "name" in tag}
    tags = dict.fromkeys(str(said.get("tag_string", "")).split(), "")
    for name, number in CATEGORIES.items():
        tags |= dict.fromkeys(str(said.get(f"tag_string_{name}", "")).split(), number)
    return tags


def label_of(post: Post, labels: Collection[str], category: str) -> str:
    """The first of `labels` that a post is tagged with; without such a list its one tag of a
    category, "" where it has none or several.
    """
    if labels:
        return next((label for label in labels if label in post.tags), "")
    named = [tag for tag, number in post.tags.items() if number == CATEGORIES.get(category)]
    return named[0] if len(named) == 1 else ""
