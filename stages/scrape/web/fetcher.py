"""One picture by its address: redirects, retries, robots.txt, limits of time and length."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from httpx_secure import SSRFProtectionError

from stages.scrape.web import retry, robots
from stages.scrape.web.guard import BadAddress, checked, client
from stages.scrape.web.hosts import Host
from stages.scrape.web.params import WebParams
from stages.scrape.web.retry import Failed

REDIRECTS = 10


@dataclass(frozen=True)
class Answer:
    """A server's response.

    Attributes:
        body: None if our version is still current.
        etag, modified: the server's identifiers of this version, "" if it gives none.
        location: the redirect's target, "" if there is none.
    """

    body: bytes | None = None
    etag: str = ""
    modified: str = ""
    location: str = ""


class Fetcher:
    """The state of all hosts in one event loop."""

    def __init__(self, params: WebParams) -> None:
        self.params, self.users = params, 0
        self._context = httpx.create_ssl_context()
        self._total = asyncio.Semaphore(params.total)
        self._hosts: dict[str, Host] = {}
        self._robots: dict[tuple[str, bytes, int | None], asyncio.Task[robots.Robots]] = {}

    async def fetch(self, url: str, etag: str = "", modified: str = "") -> Answer:
        """Fetch an address, unless it is still the version named. Raises Failed."""
        headers = {"If-None-Match": etag, "If-Modified-Since": modified}
        return await self._follow(url, {name: value for name, value in headers.items() if value}, obey=True)

    async def _follow(self, url: str, headers: dict[str, str], obey: bool) -> Answer:
        address, prefix = _checked(url), ""
        for _ in range(REDIRECTS + 1):
            try:
                async with self._host(address).used() as host:
                    if obey and self.params.robots:
                        await self._allowed(address, host)
                    answer = await self._ask(address, headers, host, whole=obey)
            except Failed as error:
                raise error.after(prefix) from None
            if not answer.location:
                return answer
            prefix = "redirected: "
            address = _checked(answer.location, prefix)
        raise Failed(f"more than {REDIRECTS} redirects", lasting=True)

    def _host(self, address: httpx.URL) -> Host:
        if address.host not in self._hosts:
            self._hosts[address.host] = Host(self.params, self._total, lambda: client(self.params, self._context))
        return self._hosts[address.host]

    async def _allowed(self, address: httpx.URL, host: Host) -> None:
        site = (address.scheme, address.raw_host, address.port)
        if site not in self._robots:  # a task, so that concurrent requests wait for the same one
            self._robots[site] = asyncio.create_task(self._rules(address.join("/robots.txt")))
        rules = await asyncio.shield(self._robots[site])
        host.pause_s = max(host.pause_s, min(rules.pause_s, robots.LONGEST_S))
        rules.check(str(address))

    async def _rules(self, place: httpx.URL) -> robots.Robots:
        try:
            body = (await self._follow(str(place), {}, obey=False)).body or b""
        except Failed as error:
            if not error.lasting:
                raise Failed(f"robots.txt: {error.reason}") from None
            body = b""  # there is no robots.txt
        return robots.parse(body, self.params.agent)

    async def _ask(self, address: httpx.URL, headers: dict[str, str], host: Host, whole: bool) -> Answer:
        async def once() -> Answer:
            async with host.slot():
                try:
                    answer = await self._once(address, headers, host, whole)
                except Failed as error:
                    host.note_answer(healthy=not error.ill)
                    raise
                host.note_answer(healthy=True)
                return answer

        return await retry.insist(once, self.params.retries, host.rest)

    async def _once(self, address: httpx.URL, headers: dict[str, str], host: Host, whole: bool) -> Answer:
        try:
            async with asyncio.timeout(self.params.timeout_s):
                async with host.client.stream("GET", address, headers=headers) as response:
                    return await self._answer(address, response, whole)
        except TimeoutError:
            raise Failed(f"took longer than {self.params.timeout_s:g} s", ill=True) from None
        except SSRFProtectionError:
            raise Failed("its host is not on the public network") from None
        except httpx.TransportError as error:
            raise retry.of_error(error) from None
        except httpx.HTTPError as error:  # a body that cannot be decompressed
            raise Failed(f"{type(error).__name__}: {error}") from None

    async def _answer(self, address: httpx.URL, response: httpx.Response, whole: bool) -> Answer:
        if response.has_redirect_location:
            return Answer(location=_joined(address, response.headers["Location"]))
        if response.status_code not in (200, 304) or (response.status_code == 304 and not _is_conditional(response)):
            raise retry.of_status(response)
        body = await self._body(response, whole) if response.status_code == 200 else None
        return Answer(body, response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""))

    async def _body(self, response: httpx.Response, whole: bool) -> bytes:
        """The body, of up to `max_bytes`, else raises Failed; if not `whole`, its beginning is enough."""
        chunks, length = [], 0
        async for chunk in response.aiter_bytes():
            chunks.append(chunk)
            length += len(chunk)
            if not whole and length > robots.MAX_BYTES:
                break
            if length > self.params.max_bytes:
                raise Failed(f"longer than {self.params.max_bytes} bytes")
        return b"".join(chunks)


_open: dict[tuple[WebParams, asyncio.AbstractEventLoop], Fetcher] = {}


@asynccontextmanager
async def opened(params: WebParams) -> AsyncIterator[Fetcher]:
    """The event loop's only Fetcher, which exists for as long as it is in use."""
    key = (params, asyncio.get_running_loop())
    if key not in _open:
        _open[key] = Fetcher(params)
    fetcher = _open[key]
    fetcher.users += 1
    try:
        yield fetcher
    finally:
        fetcher.users -= 1
        if not fetcher.users:
            del _open[key]


def _is_conditional(response: httpx.Response) -> bool:
    return "If-None-Match" in response.request.headers or "If-Modified-Since" in response.request.headers


def _joined(address: httpx.URL, location: str) -> str:
    try:
        return str(address.join(location))
    except (httpx.InvalidURL, ValueError):
        return location


def _checked(url: str, prefix: str = "") -> httpx.URL:
    try:
        return checked(url)
    except BadAddress as error:
        raise Failed(f"{prefix}{error}", lasting=True) from None
