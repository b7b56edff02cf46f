"""Requests of sources to servers: pictures, an answer, one large file."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx

from creatures.runtime.errors import UserError
from stages.scrape.manifest import Row
from stages.scrape.s3 import copy_object
from stages.scrape.site import Site
from stages.scrape.web.download import Wanted, download, finish
from stages.scrape.web.guard import BadAddress, checked, client
from stages.scrape.web.retry import Failed, insist, of_error, of_status

T = TypeVar("T")

ARCHIVES = "archives"  # files that were fetched; they go when the run has succeeded


def read_json(url: str, about: Mapping[str, str], site: Site) -> Any:
    """Answer of a server to a query, as JSON.

    Raises:
        UserError: it does not answer, or not with JSON.
    """

    async def ask(http: httpx.AsyncClient) -> Any:
        headers = {"Accept": "application/json"}
        answer = await http.get(url, params=about, headers=headers, follow_redirects=True, timeout=site.web.timeout_s)
        if not answer.is_success:
            raise of_status(answer)
        try:
            return answer.json()
        except ValueError:
            raise Failed("the answer is no JSON") from None

    return _tried(url, site, ask)


def fetch_file(url: str, site: Site, sha256: str = "") -> Path:
    """Fetch a file of any length into ARCHIVES below `site.store`, by http, https or s3.

    What an interrupted run has fetched is not fetched again; what it had begun goes on, but for s3.

    Raises:
        UserError: the server does not give it, or it has another digest.
    """
    target = site.store / ARCHIVES / hashlib.sha256(url.encode()).hexdigest()[:16]
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        pass
    elif url.startswith("s3://"):
        copy_object(url, target)
    else:
        _tried(url, site, lambda http: _go_on(http, url, target, site.web.timeout_s))
    if sha256:
        with open(target, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            target.unlink()
            raise UserError(f"{url} has the sha256 {found}, not {sha256}")
    return target


async def _go_on(http: httpx.AsyncClient, url: str, target: Path, silence_s: float) -> None:
    part, tag = target.with_suffix(".part"), target.with_suffix(".etag")
    headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
    if part.exists() and tag.exists():  # If-Range: the server begins anew if the file is another one by now
        headers |= {"Range": f"bytes={part.stat().st_size}-", "If-Range": tag.read_text()}
    async with http.stream("GET", url, headers=headers, follow_redirects=True, timeout=silence_s) as answer:
        if answer.status_code == 416:  # the file ended there: only a whole one tells whether it is the same
            tag.unlink(missing_ok=True)
            raise Failed("416 Range Not Satisfiable", wait=True)
        if not answer.is_success:
            raise of_status(answer)
        if answer.status_code != 206:
            tag.unlink(missing_ok=True)
            if (name := answer.headers.get("ETag", "")).startswith('"'):  # a weak one names no bytes
                tag.write_text(name)
        with open(part, "ab" if answer.status_code == 206 else "wb") as out:
            async for chunk in answer.aiter_bytes():
                out.write(chunk)
    part.rename(target)
    tag.unlink(missing_ok=True)


def _tried(url: str, site: Site, ask: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
    from httpx_secure import SSRFProtectionError

    async def run() -> T:
        async with client(site.web, httpx.create_ssl_context()) as http:

            async def once() -> T:
                try:
                    return await ask(http)
                except httpx.TransportError as error:
                    raise of_error(error) from None

            return await insist(once, site.web.retries, lambda seconds: None)

    try:
        checked(url)
        return asyncio.run(run())
    except Failed as error:
        raise UserError(f"cannot fetch {url}: {error.reason}") from None
    except (BadAddress, SSRFProtectionError, httpx.HTTPError) as error:
        raise UserError(f"cannot fetch {url}: {error}") from None


def pause(site: Site) -> None:
    """Wait as long as a host is left between two requests."""
    if site.web.per_second:
        time.sleep(1 / site.web.per_second)


def fetch_pictures(wanted: Iterable[Wanted], site: Site) -> list[Row]:
    """Download pictures, a row for each.

    Raises:
        UserError: none of them could be fetched.
    """
    rows = download(wanted, site.out, site.web, site.store)
    if not any(row.status == "ok" for row in rows):
        finish(site.store)  # what is mended meanwhile is asked for again
        raise UserError(f"no picture could be fetched; the first address: {rows[0].url!r}: {rows[0].reason}")
    return rows
