"""Requests of sources to servers: pictures, a JSON response, one large file."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx

from creatures.runtime.errors import UserError
from creatures.s3 import S3, fetch_object, several_at_once
from stages.scrape.manifest import Row
from stages.scrape.site import Site
from stages.scrape.web.download import Wanted, download, finish
from stages.scrape.web.guard import BadAddress, checked, client
from stages.scrape.web.retry import Failed, insist, of_error, of_status

T = TypeVar("T")

ARCHIVES = "archives"  # fetched files, which are deleted when the run has succeeded


def read_json(url: str, about: Mapping[str, str], site: Site) -> Any:
    """Query a server and parse its response as JSON.

    Raises:
        UserError: it does not answer, or not with JSON.
    """

    async def ask(http: httpx.AsyncClient) -> Any:
        headers = {"Accept": "application/json"}
        response = await http.get(url, params=about, headers=headers, follow_redirects=True, timeout=site.web.timeout_s)
        if not response.is_success:
            raise of_status(response)
        try:
            return response.json()
        except ValueError:
            raise Failed("the answer is no JSON") from None

    return _request(url, site, ask)


def fetch_file(url: str, site: Site, sha256: str = "") -> Path:
    """Fetch a file of any length into ARCHIVES below `site.store`, by http, https or s3.

    Files that an interrupted run has fetched are reused; partial downloads are resumed, except from s3.

    Raises:
        UserError: the server does not provide it, or it has another digest.
    """
    target = site.store / ARCHIVES / hashlib.sha256(url.encode()).hexdigest()[:16]
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        pass
    elif url.startswith(S3):
        part = target.with_suffix(".part")
        fetch_object(url, part)
        part.replace(target)
    else:
        _request(url, site, lambda http: _download(http, url, target, site.web.timeout_s))
    if sha256:
        with open(target, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != sha256:
            target.unlink()
            raise UserError(f"{url} has the sha256 {digest}, not {sha256}")
    return target


def fetch_files(urls: Sequence[str], site: Site, sha256: str = "") -> Iterator[Path]:
    """Fetch files as `fetch_file` does, in this order; from s3 several at a time, from other servers one by one."""
    fetch = partial(fetch_file, site=site, sha256=sha256)
    return several_at_once(fetch, urls) if urls[0].startswith(S3) else map(fetch, urls)


async def _download(http: httpx.AsyncClient, url: str, target: Path, silence_s: float) -> None:
    part, tag = target.with_suffix(".part"), target.with_suffix(".etag")
    headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
    if part.exists() and tag.exists():  # If-Range: the server sends all of the file if it has changed
        headers |= {"Range": f"bytes={part.stat().st_size}-", "If-Range": tag.read_text()}
    async with http.stream("GET", url, headers=headers, follow_redirects=True, timeout=silence_s) as response:
        if response.status_code == 416:  # the part is full length: only a new download tells if it is the same
            tag.unlink(missing_ok=True)
            raise Failed("416 Range Not Satisfiable", wait=True)
        if not response.is_success:
            raise of_status(response)
        if response.status_code != 206:
            tag.unlink(missing_ok=True)
            if (name := response.headers.get("ETag", "")).startswith('"'):  # a weak tag does not identify bytes
                tag.write_text(name)
        with open(part, "ab" if response.status_code == 206 else "wb") as out:
            async for chunk in response.aiter_bytes():
                out.write(chunk)
    part.rename(target)
    tag.unlink(missing_ok=True)


def _request(url: str, site: Site, ask: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
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
    """Sleep for the pause between two requests to a host."""
    if site.web.per_second:
        time.sleep(1 / site.web.per_second)


def fetch_pictures(wanted: Iterable[Wanted], site: Site) -> list[Row]:
    """Download pictures; return a row for each.

    Raises:
        UserError: none of them could be fetched.
    """
    rows = download(wanted, site.out, site.web, site.store)
    if not any(row.status == "ok" for row in rows):
        finish(site.store)  # the next run requests all of them again
        raise UserError(f"no picture could be fetched; the first address: {rows[0].url!r}: {rows[0].reason}")
    return rows
