"""Posts of an image board, and a filter of them: by tags, joined by and, or, not, and by ratings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

CATEGORIES = {"general": "0", "artist": "1", "copyright": "3", "character": "4", "meta": "5"}


@dataclass(frozen=True)
class TagFilter:
    """Matches posts that have each tag of `all`, at least one of `any`, and none of `none`.

    An empty list demands nothing; nor does an empty list of ratings.
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


def read_post(entry: Any, files: str) -> Post | None:
    """Read a post as the site's API or a yearly dump writes it; None if it has no address.

    Args:
        files: where the originals are, by their MD5, for posts that give no address.
    """
    if not isinstance(entry, dict) or not str(entry.get("id", "")).isdigit():
        return None
    md5, ending = str(entry.get("md5") or ""), str(entry.get("file_ext") or "")
    url = str(entry.get("file_url") or "")
    if not url.startswith("http"):
        url = f"{files}/{md5[:2]}/{md5[2:4]}/{md5}.{ending}" if md5 and ending and not entry.get("is_banned") else ""
    return Post(int(entry["id"]), _tags(entry), str(entry.get("rating", "")), url) if url else None


def _tags(entry: Mapping[str, Any]) -> dict[str, str]:
    if isinstance(entry.get("tags"), list):  # the yearly dumps
        return {str(tag["name"]): str(tag.get("category", "")) for tag in entry["tags"] if "name" in tag}
    tags = dict.fromkeys(str(entry.get("tag_string", "")).split(), "")
    for name, number in CATEGORIES.items():
        tags |= dict.fromkeys(str(entry.get(f"tag_string_{name}", "")).split(), number)
    return tags


def label_of(post: Post, labels: Collection[str], category: str) -> str:
    """The first of `labels` that a post is tagged with; without such a list its only tag of a
    category, "" if it has none or several.
    """
    if labels:
        return next((label for label in labels if label in post.tags), "")
    matching = [tag for tag, number in post.tags.items() if number == CATEGORIES.get(category)]
    return matching[0] if len(matching) == 1 else ""
