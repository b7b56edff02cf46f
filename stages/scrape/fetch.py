"""One file or one answer from a server, for sources that need more than pictures."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import stamina

from stages.lib.params import UserError
from stages.scrape.site import Site

AGAIN = (429, 500, 502, 503, 504)
LONGEST_S = 300.0  # that a server may make us wait before the next attempt

T = TypeVar("T")


def read_json(url: str, about: Mapping[str, str], site: Site) -> Any:
    """What a server answers to a query, as JSON.

    Raises:
        UserError: it does not answer, or not with JSON.
    """

    async def ask(client: httpx.AsyncClient) -> Any:
        return (await client.get(url, params=about)).raise_for_status().json()

    return _tried(url, site, ask)


def fetch_file(url: str, site: Site, sha256: str = "") -> Path:
    """Fetch a file of any length below `site.store`; what was begun before goes on.

    Raises:
        UserError: the server does not give it, or it has another digest.
    """
    target = site.store / "archives" / hashlib.sha256(url.encode()).hexdigest()[:16]
    target.parent.mkdir(parents=True, exist_ok=True)
    _tried(url, site, lambda client: _go_on(client, url, target))
    if sha256:
        with open(target, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            target.unlink()
            raise UserError(f"{url} has the sha256 {found}, not {sha256}")
    return target


async def _go_on(client: httpx.AsyncClient, url: str, target: Path) -> None:
    part, tag = target.with_suffix(".part"), target.with_suffix(".etag")
    headers = {"Accept-Encoding": "identity"}
    if part.exists() and tag.exists():  # If-Range: the server begins anew if the file is another one by now
        headers |= {"Range": f"bytes={part.stat().st_size}-", "If-Range": tag.read_text()}
    async with client.stream("GET", url, headers=headers) as answer:
        if answer.status_code == 416:  # nothing is left to ask for, or the file is shorter by now
            tag.unlink()
        answer.raise_for_status()
        if answer.status_code != 206:
            tag.unlink(missing_ok=True)
            if (name := answer.headers.get("ETag", "")).startswith('"'):
                tag.write_text(name)
        with open(part, "ab" if answer.status_code == 206 else "wb") as out:
            async for chunk in answer.aiter_bytes():
                out.write(chunk)
    part.rename(target)
    tag.unlink(missing_ok=True)


def _tried(url: str, site: Site, ask: Callable[[httpx.AsyncClient], Awaitable[T]]) -> T:
    async def attempts() -> T:
        async with _client(site) as client:
            async for attempt in stamina.retry_context(_pause, attempts=site.web.retries + 1, timeout=None):
                with attempt:
                    return await ask(client)
        raise AssertionError("unreachable")

    try:
        return asyncio.run(attempts())
    except httpx.HTTPStatusError as error:
        raise UserError(f"cannot fetch {url}: the server answers {error.response.status_code}") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UserError(f"cannot fetch {url}: {str(error) or type(error).__name__}") from None
    except ValueError:
        raise UserError(f"{url} does not answer with JSON") from None


def _client(site: Site) -> httpx.AsyncClient:
    from httpx_secure import httpx_ssrf_protection

    client = httpx.AsyncClient(
        headers={"User-Agent": site.web.sender}, timeout=site.web.timeout_s, follow_redirects=True, trust_env=False
    )
    return httpx_ssrf_protection(client)


def _pause(error: Exception) -> bool | float:
    """Whether to ask again; in so many seconds, if the server names them."""
    if isinstance(error, httpx.HTTPStatusError):
        if error.response.status_code not in AGAIN:
            return False
        named = error.response.headers.get("Retry-After", "")
        return min(float(named), LONGEST_S) if named.isdigit() else True
    return isinstance(error, httpx.TransportError)
