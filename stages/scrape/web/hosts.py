"""How a host is treated: so many requests at once, so many a second, and left alone when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

DEAD = 20  # addresses that failed one after another: a host is not asked for more


class Host:
    """One host's state; all of it within one event loop."""

    def __init__(self, per_host: int, per_second: float, total: asyncio.Semaphore) -> None:
        self.pause_s = 1 / per_second if per_second else 0.0  # between the beginnings of two requests
        self._slots, self._turn, self._total = asyncio.Semaphore(per_host), asyncio.Lock(), total
        self._due = 0.0
        self._failures = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait until a request may begin; it counts as running until this is left."""
        async with self._slots:
            async with self._turn:
                clock = asyncio.get_running_loop().time
                while (wait := self._due - clock()) > 0:
                    await asyncio.sleep(wait)
                await self._total.acquire()
                self._due = max(self._due, clock() + self.pause_s)
            try:
                yield
            finally:
                self._total.release()

    def rest(self, seconds: float) -> None:
        """Begin no request for so long: the host asked for it."""
        self._due = max(self._due, asyncio.get_running_loop().time() + seconds)

    def told(self, well: bool) -> None:
        """How an address of it went, after all attempts."""
        self._failures = 0 if well else self._failures + 1

    @property
    def dead(self) -> bool:
        return self._failures >= DEAD
