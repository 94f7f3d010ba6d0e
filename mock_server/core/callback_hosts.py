"""Which hosts may be called, as the setting callback_hosts names them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from mock_server.core.webhook_urls import loopback_address

_NAME = re.compile(r"(\*\.)?[^\s/:@?#\[\]\\*,]+")


class CallbackHosts:
    """Hosts by name or address, in any case; `loopback` stands for this machine, `*` for every
    host, `*.example.com` for every name below example.com."""

    def __init__(self, names: Iterable[str]) -> None:
        """Raises ValueError, with a sentence, for what is no host."""
        hosts = {_host(name) for name in names}
        self._every = "*" in hosts
        self._loopback = "loopback" in hosts
        self._below = tuple(host[1:] for host in hosts if host.startswith("*."))
        self._exact = hosts - {"*", "loopback"}

    def destination(self, url: str) -> str | None:
        """The host to connect to for a URL; None if it may not be called."""
        try:
            host = _plain(urlsplit(url).hostname or "")
        except ValueError:
            return None
        if self._loopback and (local := loopback_address(host)) is not None:
            return local
        is_named = self._every or host in self._exact or host.endswith(self._below)
        return host if is_named else None


def _host(name: str) -> str:
    """A name as hosts are compared. Raises ValueError for what is none."""
    bare = name.removeprefix("[").removesuffix("]")
    if name == "*" or _NAME.fullmatch(name) or _is_address(bare):
        return _plain(bare)
    if not name:
        raise ValueError("an empty name is no host")
    if "://" in name:
        raise ValueError(f"'{name}' is a URL: give the host alone{_alone(name)}")
    if "*" in name:
        raise ValueError(f"'{name}' is no host: a star stands alone, or as in *.example.com")
    sentence = f"'{name}' is no host: give it without port, path and user name"
    raise ValueError(sentence + _alone(f"//{name}"))


def _alone(url: str) -> str:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return f", as in '{host}'" if _NAME.fullmatch(host) or _is_address(host) else ""


def _plain(host: str) -> str:
    """The same for all spellings of one host."""
    lowered = host.rstrip(".").lower()
    return str(ip_address(lowered)) if _is_address(lowered) else lowered


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
