"""Rules and crawl delay of a site's robots.txt (RFC 9309)."""

from __future__ import annotations

from dataclasses import dataclass

from protego import Protego

from stages.scrape.web.retry import Failed

MAX_BYTES = 500 << 10  # the least that RFC 9309 requires
LONGEST_S = 60.0  # sites that ask for longer pauses get no requests at all


@dataclass(frozen=True)
class Robots:
    """The rules of one site for one agent.

    Attributes:
        pause_s: seconds that it asks for between two requests.
    """

    rules: Protego
    agent: str
    pause_s: float

    def check(self, url: str) -> None:
        """Raises Failed if this agent may not request it."""
        if self.pause_s > LONGEST_S:
            raise Failed(f"robots.txt asks for {self.pause_s:.0f} s between requests")
        if not self.rules.can_fetch(url, self.agent):
            raise Failed("robots.txt disallows it")


def parse(body: bytes, agent: str) -> Robots:
    """Parse a robots.txt; b"" allows all.

    Args:
        agent: a User-Agent; the part before its slash is matched.
    """
    rules, name = Protego.parse(body[:MAX_BYTES].decode("utf-8", "replace")), agent.split("/")[0]
    rate = rules.request_rate(name)
    pauses = (rules.crawl_delay(name) or 0.0, rate.seconds / rate.requests if rate and rate.requests else 0.0)
    return Robots(rules, name, max(pauses))
