"""Many addresses at once, on Daft: locally, or on a Ray cluster, where each host belongs to one worker."""

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

WAITING = 1024  # addresses in the event loop at once, so that a slow host does not hold up others
TOGETHER = 8  # bodies passed on at once if there is no rate limit: saves 0.4 ms of each
PARTS = 64  # partitions of the hosts on a cluster


@dataclass(frozen=True)
class Asked:
    """An address to request; `etag` and `modified` identify the version that we have."""

    url: str
    host: str
    etag: str = ""
    modified: str = ""


async def ask(request: Asked, params: WebParams) -> dict[str, Any]:
    """Request one address; errors are returned, not raised.

    Returns:
        url; reason, "" on success; lasting: whether the failure is permanent; body, None if our
        version is still current; suffix, sha256, etag, modified; time, ISO 8601 in UTC.
    """
    record: dict[str, Any] = {"url": request.url, "reason": "", "lasting": False, "body": None}
    record |= dict.fromkeys(("suffix", "sha256", "etag", "modified"), "")
    try:
        async with opened(params) as fetcher:
            response = await fetcher.fetch(request.url, request.etag, request.modified)
        if response.body is not None:
            record["suffix"] = suffix(response.body)
            record |= {"body": response.body, "sha256": hashlib.sha256(response.body).hexdigest()}
        record |= {"etag": response.etag, "modified": response.modified}
    except Failed as error:
        record |= {"reason": error.reason, "lasting": error.lasting}
    except NoPicture as error:
        record |= {"reason": str(error), "lasting": True}
    except Exception as error:  # an unforeseen error costs one row, too
        record |= {"reason": f"{type(error).__name__}: {error}"}
    return record | {"time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def ask_all(requests: Sequence[Asked], params: WebParams) -> Iterator[dict[str, Any]]:
    """`ask` of all, each as it completes."""
    cluster = on_ray()
    import daft
    from daft import DataFrame, DataType, Series

    text = ("url", "reason", "suffix", "sha256", "etag", "modified", "time")
    result = DataType.struct(
        {name: DataType.string() for name in text} | {"lasting": DataType.bool(), "body": DataType.binary()}
    )

    # One address per batch: a body is passed on, and so stored, as soon as it is there
    together = 1 if params.per_second else TOGETHER

    @daft.func.batch(return_dtype=result, batch_size=together, max_concurrency=WAITING // together, use_process=False)
    async def fetch(url: Series, host: Series, etag: Series, modified: Series) -> list[dict[str, Any]]:
        columns = (column.to_pylist() for column in (url, host, etag, modified))
        return await asyncio.gather(*(ask(Asked(*row), params) for row in zip(*columns, strict=True)))

    names = ("url", "host", "etag", "modified")
    by_url = {item.url: item for item in by_turns(requests, together)}

    def fetched(urls: Sequence[str]) -> DataFrame:
        table = daft.from_pydict({name: [getattr(by_url[url], name) for url in urls] for name in names})
        if cluster:
            table = table.repartition(PARTS, "host")
        return table.select("url", fetch(*(table[name] for name in names)).alias("answer"))

    for _, response in answers(list(by_url), fetched):
        yield response


def by_turns(requests: Sequence[Asked], together: int) -> list[Asked]:
    """The first `together` addresses of each host, then the next ones of each, and so on."""
    waiting: dict[str, list[Asked]] = {}
    for item in requests:
        waiting.setdefault(item.host, []).append(item)
    turns = [(i, some[i : i + together]) for some in waiting.values() for i in range(0, len(some), together)]
    return [item for _, some in sorted(turns, key=itemgetter(0)) for item in some]
