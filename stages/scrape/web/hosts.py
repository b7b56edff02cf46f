"""How a host is treated: so many requests at once, so many a second, and left alone when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from stages.scrape.web.params import WebParams
from stages.scrape.web.retry import Failed

DEAD = 30  # requests that failed one after another: a host is not asked for more


class Host:
    """One host's state; all of it within one event loop.

    Attributes:
        pause_s: between the beginnings of two requests.
        client: its connections, within `used`.
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
        """Its connections stay open for as long as anybody is in here."""
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
        """Wait until a request may begin; it counts as running until this is left.

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
        """Begin no request for so long: the host asked for it."""
        self._due = max(self._due, asyncio.get_running_loop().time() + seconds)

    def note_answer(self, healthy: bool) -> None:
        """Count failures in a row: `healthy` says whether the host answered this request as it should."""
        self._failures = 0 if healthy else self._failures + 1
