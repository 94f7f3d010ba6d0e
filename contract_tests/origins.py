"""Compares URLs with the servers under test. Every request of the suite leaves through `WayOut`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from ipaddress import IPv6Address
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from contract_tests.budget import NotSent

_DEFAULT_PORT = {"http": 80, "https": 443}
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\]")


class OtherOrigin(NotSent):
    """A request was not sent: its URL belongs to no server under test."""


class NotABaseUrl(ValueError):
    """The reason why a text cannot be a base URL. It shows no part of the text."""


@dataclass(frozen=True)
class Base:
    """Scheme, host, port and path under which a server is reached. path: "" or "/a/b"."""

    scheme: str
    host: str
    port: int
    path: str
    url: str

    @classmethod
    def of(cls, text: str) -> Self:
        """The base that a text names, spelled as requests spell it. Raises NotABaseUrl."""
        if not text.lower().startswith(("http://", "https://")):
            raise NotABaseUrl("must begin with http:// or https://")
        if "?" in text or "#" in text:
            raise NotABaseUrl("must have no query and no fragment")
        if "@" in text.split("/")[2]:
            raise NotABaseUrl("must have no user name and no password: --api-key names the key")
        right = "must be a URL, like http://127.0.0.1:4010"
        try:
            url = (requests.Request("GET", text).prepare().url or "").rstrip("/")
            origin, given_port = _origin_of(url), urlsplit(text).port
        except ValueError as error:  # the errors of requests are among them
            raise NotABaseUrl(right) from error
        if _NOT_IN_A_URL.search(text) or given_port == 0 or not _is_host(origin[1]):
            raise NotABaseUrl(right)
        return cls(*origin, urlsplit(url).path, url)

    def covers(self, url: str) -> bool:
        """Whether a URL has this scheme, host and port, and no user info."""
        try:
            own = (self.scheme, self.host, self.port)
            return "@" not in urlsplit(url).netloc and _origin_of(url) == own
        except ValueError:
            return False

    def path_of(self, url: str) -> str:
        """The path of a URL after the path of the base. The whole path if it is outside."""
        path = urlsplit(url).path
        return path.removeprefix(self.path) if self.has_below(url) else path

    def has_below(self, url: str) -> bool:
        """Whether the path of a URL begins with the path of the base."""
        return urlsplit(url).path.startswith(f"{self.path}/")


def _origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port, read as the adapter of requests reads them when it connects.

    Raises ValueError.
    """
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORT:
        raise ValueError(f"no scheme of HTTP: {parts.scheme}")
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORT[parts.scheme]


def _is_host(host: str) -> bool:
    """Whether a text is a host name or an address. Percent signs, which hide a name, are not."""
    if ":" in host:
        return bool(IPv6Address(host)) and "%" not in host
    return _HOST_NAME.fullmatch(host) is not None


class WayOut(HTTPAdapter):
    """Sends requests to the servers under test, and to no other scheme, host or port.

    It is asked for each request, so also for each redirect.
    """

    def __init__(self, *bases: str, inner: HTTPAdapter | None = None) -> None:
        """inner: the adapter that sends; by default one of the library `requests`."""
        super().__init__()
        self._inner = inner or HTTPAdapter(pool_connections=8, pool_maxsize=32)
        self.bases = [Base.of(base) for base in bases]

    def base_of(self, url: str) -> Base:
        """The server that a URL belongs to, the one with the longest path. Raises OtherOrigin."""
        found = [base for base in self.bases if base.covers(url)]
        if not found:
            raise OtherOrigin("not sent: the URL is on another host than the server under test")
        return max(found, key=lambda base: len(base.path) if base.has_below(url) else -1)

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:  # type: ignore[override]
        """Send one request. Raises OtherOrigin."""
        self.base_of(request.url or "")
        return self._inner.send(request, **how)

    def close(self) -> None:
        """Close every connection."""
        self._inner.close()


def session_through(adapter: HTTPAdapter) -> requests.Session:
    """A session that sends through the adapter only. It keeps no cookie, which could be a key.

    It reads no proxy and no netrc of the machine.
    """
    session = requests.Session()
    session.trust_env = False
    session.headers.clear()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session
