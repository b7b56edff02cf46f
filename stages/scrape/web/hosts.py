"""Limits per host: requests at once and per second; a host that keeps failing is given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from stages.scrape.web.params import WebParams
from stages.scrape.web.retry import Failed

DEAD = 30  # consecutive failures after which a host gets no more requests


class Host:
    """One host's state, within one event loop.

    Attributes:
        pause_s: seconds between the starts of two requests.
        client: its connections, open within `used`.
    """

    client: httpx.AsyncClient

    def __init__(
        self, params: WebParams, total: asyncio.Semaphore, make_client: Callable[[], httpx.AsyncClient]
    ) -> None:
        self.pause_s = 1 / params.per_second if params.per_second else 0.0
        self._make_client, self._users = make_client, 0
        self._slots, self._turn, self._total = asyncio.Semaphore(params.per_host), asyncio.Lock(), total
        self._due = 0.0
        self._failures = 0

    @asynccontextmanager
    async def used(self) -> AsyncIterator[Host]:
        """Keep its connections open for as long as anyone is in this context."""
        if not self._users:
            self.client = self._make_client()
        self._users += 1
        try:
            yield self
        finally:
            self._users -= 1
            if not self._users:
                await self.client.aclose()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait until a request may start; it counts as running until the context ends.

        Raises:
            Failed: the host has been given up.
        """
        async with self._slots:
            async with self._turn:
                clock = asyncio.get_running_loop().time
                while (wait := self._due - clock()) > 0:
                    await asyncio.sleep(wait)
                await self._total.acquire()
                self._due = max(self._due, clock() + self.pause_s)
            try:
                if self._failures >= DEAD:
                    raise Failed("its host stopped answering")
                yield
            finally:
                self._total.release()

    def rest(self, seconds: float) -> None:
        """Start no request for `seconds`, as the host has asked."""
        self._due = max(self._due, asyncio.get_running_loop().time() + seconds)

    def note_answer(self, healthy: bool) -> None:
        """Count consecutive failures: `healthy` says whether the host answered this request as it should."""
        self._failures = 0 if healthy else self._failures + 1
