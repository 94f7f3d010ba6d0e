"""Checks `format: uri` in request bodies: absolute http and https URLs that a client can call."""

import re

from mock_server.core.addresses import address_of

_SAFE = r"A-Za-z0-9._~!$&'()*+,;=:-"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[(?P<ipv6>[0-9A-Fa-f:]+)\]"


def _chars(allowed: str) -> str:
    return f"(?:[{allowed}]|%[0-9A-Fa-f]{{2}})*"


# A text: `re` compiles it at its first use, and few servers need it early.
_URL = (
    rf"[Hh][Tt][Tt][Pp][Ss]?://(?:{_chars(_SAFE)}@)?(?:{_HOST})"
    r"(?::(?P<port>[0-9]{1,4}|[1-6][0-9]{4}))?"
    rf"(?:/{_chars('@/' + _SAFE)})?(?:\?{_chars('@/?' + _SAFE)})?(?:#{_chars('@/?' + _SAFE)})?"
)


def is_web_url(text: str) -> bool:
    """Whether this is an absolute http or https URL.
    Narrower than RFC 3986: the host is a name or an IPv6 address, and the port at most 65535."""
    found = re.fullmatch(_URL, text)
    if found is None or int(found["port"] or 0) > 65535:
        return False
    return found["ipv6"] is None or address_of(found["ipv6"]) is not None
