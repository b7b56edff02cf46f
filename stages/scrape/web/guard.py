"""Which addresses may be requested: public ones, by http or https."""

from __future__ import annotations

import os
import re
import ssl
from ipaddress import IPv4Address, IPv6Address

import httpx

from stages.scrape.web.params import WebParams

LOOPBACK = "SCRAPE_LOOPBACK_PORT"  # for tests: a port of this machine that may be requested
CONNECT_S = 10.0
HOST = re.compile(rb"[\w.-]+|[0-9a-fA-F:.]+")  # a name, or an IPv6 address


class BadAddress(Exception):
    """An address that is not requested; its message says why."""


def checked(address: str | httpx.URL) -> httpx.URL:
    """An address with a host, by http or https. Raises BadAddress."""
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise BadAddress("not a web address") from None
    if url.scheme not in ("http", "https") or not HOST.fullmatch(url.raw_host):
        raise BadAddress("not a web address")
    return url


def client(params: WebParams, context: ssl.SSLContext) -> httpx.AsyncClient:
    """A client for one host that connects only to public addresses, whatever a name resolves to.

    Proxies from the environment are not used: behind one, the address that is connected to
    would be unknown.

    Raises:
        httpx_secure.SSRFProtectionError: in requests to any other address.
    """
    from httpx_secure import httpx_ssrf_protection

    http = httpx.AsyncClient(
        headers={"User-Agent": params.sender, "Accept": "image/*", "Accept-Encoding": "gzip, deflate"},
        timeout=httpx.Timeout(None, connect=CONNECT_S),  # params.timeout_s is for the whole request
        limits=httpx.Limits(max_connections=params.per_host, max_keepalive_connections=params.per_host),
        verify=context,
        trust_env=False,
    )
    if port := os.environ.get(LOOPBACK):
        return httpx_ssrf_protection(http, check_globally_reachable=False, custom_validator=_with_loopback(int(port)))
    return httpx_ssrf_protection(http)


def _with_loopback(allowed: int):
    def admit(host: str, address: IPv4Address | IPv6Address, port: int) -> bool:
        return address.is_global or (address.is_loopback and port == allowed)

    return admit
