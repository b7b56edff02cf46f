"""Which requests are retried, and when."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx
import stamina

stamina.instrumentation.set_on_retry_hooks([])  # else a line on stderr for each

AGAIN = (429, 500, 502, 503, 504)
FIRST_S, LONGEST_S = 0.5, 30.0  # waits, doubled each time, if the server names none
ASKED_S = 120.0  # the longest wait that a server may ask for


T = TypeVar("T")


class Failed(Exception):
    """A request that failed.

    Attributes:
        lasting: permanent, as the server said; requests with other failures may succeed next time.
        wait: seconds until it may be retried, True for the default, None for not in this run.
        ill: the host is at fault, not this address.
    """

    def __init__(
        self, reason: str, *, lasting: bool = False, wait: float | bool | None = None, ill: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason, self.lasting, self.wait, self.ill = reason, lasting, wait, ill

    def after(self, prefix: str) -> Failed:
        """The same failure, with a prefix that says how its address was reached."""
        return Failed(prefix + self.reason, lasting=self.lasting, wait=self.wait, ill=self.ill)


def of_status(response: httpx.Response) -> Failed:
    """The failure of a response that is neither a picture nor a redirect."""
    reason = f"{response.status_code} {response.reason_phrase}".strip()
    if response.status_code not in AGAIN:
        return Failed(reason, lasting=response.status_code < 500)
    seconds = retry_after(response.headers.get("Retry-After", ""))
    return Failed(reason, wait=True if seconds is None else seconds, ill=True)


def of_error(error: httpx.TransportError) -> Failed:
    """The failure of a connection that could not be made, or broke."""
    detail = f": {error}" if str(error) else ""
    return Failed(f"{type(error).__name__}{detail}", wait=True, ill=True)


def retry_after(header: str) -> float | None:
    """Seconds to wait by a Retry-After header, seconds or a date, at most ASKED_S; None if it has neither."""
    try:
        seconds = float(header) if header.strip().isdigit() else parsedate_to_datetime(header).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), ASKED_S)


async def insist(once: Callable[[], Awaitable[T]], retries: int, rest: Callable[[float], None]) -> T:
    """Result of `once`, or its error after all retries; `rest` gets the seconds that a server asks to wait."""

    def wait(error: Exception) -> bool | float:
        if not isinstance(error, Failed) or error.wait is None:
            return False
        if not isinstance(error.wait, bool):
            rest(error.wait)
        return error.wait

    try:
        return await once()  # nearly all succeed at once, without the cost of stamina
    except Failed as error:
        first = error
    replies = stamina.retry_context(
        wait, attempts=retries + 1, timeout=None, wait_initial=FIRST_S, wait_max=LONGEST_S, wait_jitter=FIRST_S
    )
    async for attempt in replies:
        with attempt:
            if attempt.num == 1:
                raise first
            return await once()
    raise first
