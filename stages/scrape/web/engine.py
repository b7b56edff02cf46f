"""Many addresses at once, on Daft: here or on a Ray cluster, where each host falls to one worker."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from creatures.cluster import answers, on_ray
from stages.scrape.web.fetcher import opened
from stages.scrape.web.params import WebParams
from stages.scrape.web.retry import Failed
from stages.scrape.web.signature import NoPicture, suffix

WAITING = 1024  # addresses handed to the loop at once, so that a slow host holds up no other
TOGETHER = 8  # bodies handed on at once where servers set no pace: it takes 0.4 ms less of each
PARTS = 64  # shares that the hosts are dealt to on a cluster


@dataclass(frozen=True)
class Asked:
    """An address to ask for; etag and modified name the version that we have."""

    url: str
    host: str
    etag: str = ""
    modified: str = ""


async def ask(asked: Asked, params: WebParams) -> dict[str, Any]:
    """One address, whatever comes.

    Returns:
        url; reason, "" if it went well; lasting: whether the server will say so again;
        body, None if ours is still right; suffix, sha256, etag, modified; time, ISO 8601 in UTC.
    """
    found: dict[str, Any] = {"url": asked.url, "reason": "", "lasting": False, "body": None}
    found |= dict.fromkeys(("suffix", "sha256", "etag", "modified"), "")
    try:
        async with opened(params) as fetcher:
            answer = await fetcher.fetch(asked.url, asked.etag, asked.modified)
        if answer.body is not None:
            found["suffix"] = suffix(answer.body)
            found |= {"body": answer.body, "sha256": hashlib.sha256(answer.body).hexdigest()}
        found |= {"etag": answer.etag, "modified": answer.modified}
    except Failed as error:
        found |= {"reason": error.reason, "lasting": error.lasting}
    except NoPicture as error:
        found |= {"reason": str(error), "lasting": True}
    except Exception as error:  # what nobody foresaw costs one row, too
        found |= {"reason": f"{type(error).__name__}: {error}"}
    return found | {"time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def ask_all(asked: Sequence[Asked], params: WebParams) -> Iterator[dict[str, Any]]:
    """`ask` of all, each as it gets ready."""
    cluster = on_ray()
    import daft
    from daft import DataFrame, DataType, Series

    text = ("url", "reason", "suffix", "sha256", "etag", "modified", "time")
    result = DataType.struct(
        {name: DataType.string() for name in text} | {"lasting": DataType.bool(), "body": DataType.binary()}
    )

    # One address a batch: a body is handed on, and so kept, as soon as it is there
    together = 1 if params.per_second else TOGETHER

    @daft.func.batch(return_dtype=result, batch_size=together, max_concurrency=WAITING // together, use_process=False)
    async def fetch(url: Series, host: Series, etag: Series, modified: Series) -> list[dict[str, Any]]:
        columns = (column.to_pylist() for column in (url, host, etag, modified))
        return await asyncio.gather(*(ask(Asked(*row), params) for row in zip(*columns, strict=True)))

    names = ("url", "host", "etag", "modified")
    by_url = {item.url: item for item in by_turns(asked, together)}

    def fetched(urls: Sequence[str]) -> DataFrame:
        table = daft.from_pydict({name: [getattr(by_url[url], name) for url in urls] for name in names})
        if cluster:
            table = table.repartition(PARTS, "host")
        return table.select("url", fetch(*(table[name] for name in names)).alias("answer"))

    for _, answer in answers(list(by_url), fetched):
        yield answer


def by_turns(asked: Sequence[Asked], together: int) -> list[Asked]:
    """First so many of each host, then the next of each, and so on."""
    waiting: dict[str, list[Asked]] = {}
    for item in asked:
        waiting.setdefault(item.host, []).append(item)
    turns = [(i, some[i : i + together]) for some in waiting.values() for i in range(0, len(some), together)]
    return [item for _, some in sorted(turns, key=itemgetter(0)) for item in some]
