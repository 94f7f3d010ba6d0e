"""The hosts that callbacks may be sent to, from the setting callback_hosts."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from mock_server.core.addresses import address_of
from mock_server.core.webhook_urls import loopback_address

_NAME = re.compile(r"(\*\.)?[^\s/:@?#\[\]\\*,]+")


class CallbackHosts:
    """Hosts by name or address, in any case; `loopback` stands for this machine, `*` for every
    host, `*.example.com` for every name below example.com."""

    def __init__(self, names: Iterable[str]) -> None:
        """Raises ValueError with a sentence if a name is no host."""
        hosts = {_host(name) for name in names}
        self._every = "*" in hosts
        self._loopback = "loopback" in hosts
        self._below = tuple(host[1:] for host in hosts if host.startswith("*."))
        self._exact = hosts - {"*", "loopback"}

    def destination(self, url: str) -> str | None:
        """The host to connect to for a URL; None if it is not allowed."""
        try:
            host = _plain(urlsplit(url).hostname or "")
        except ValueError:
            return None
        if self._loopback and (local := loopback_address(host)) is not None:
            return local
        is_named = self._every or host in self._exact or host.endswith(self._below)
        return host if is_named else None


def _host(name: str) -> str:
    """The name in the form that is compared. Raises ValueError if it is no host."""
    bare = name.removeprefix("[").removesuffix("]")
    if name == "*" or _NAME.fullmatch(name) or address_of(bare):
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
    return f", as in '{host}'" if _NAME.fullmatch(host) or address_of(host) else ""


def _plain(host: str) -> str:
    """One form for all spellings of a host."""
    lowered = host.rstrip(".").lower()
    return str(address_of(lowered) or lowered)
