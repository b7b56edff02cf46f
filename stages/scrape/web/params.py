"""Parameters of requests: the part of `scrape` that all sources from the web share."""

from __future__ import annotations

from pydantic import Field

from creatures.runtime.config import Section


class WebParams(Section):
    agent: str = Field(
        "creature-pipeline/0.1",
        pattern=r"^[A-Za-z][\w.-]*(/[\w.-]+)?$",
        description="what requests name as their sender",
    )
    contact: str = Field(
        "", pattern=r"^[!-'*-~]*$", description="your e-mail or web address, for those whose servers are asked"
    )
    robots: bool = Field(True, description="obey robots.txt")
    per_host: int = Field(4, ge=1, le=10_000, description="requests to a host at once")
    per_second: float = Field(4.0, ge=0, le=1e6, description="requests to a host that begin in a second; 0: no limit")
    total: int = Field(64, ge=1, le=10_000, description="requests at once over all hosts")
    timeout_s: float = Field(60.0, gt=0, le=3600, description="for one picture, from asking to its last byte")
    max_bytes: int = Field(1 << 25, ge=1, le=1 << 30, description="of one picture")
    retries: int = Field(4, ge=0, le=20, description="after 429, 5xx and broken connections")

    @property
    def sender(self) -> str:
        """The header User-Agent."""
        return f"{self.agent} (+{self.contact})" if self.contact else self.agent
