"""The `Host` header: the name and port under which a client reached the server (RFC 9110, 7.2)."""

import re
from ipaddress import IPv6Address

from msgspec import Struct

from mock_server.core.refusals import Invalid
from mock_server.edge.short_key_cache import cached_for_short_keys

_HOST = re.compile(
    r"(?P<name>[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[(?P<ipv6>[0-9A-Fa-f:.]+)\])"
    r"(?::(?P<port>[0-9]{0,5}))?"
)
_MAX_BYTES = 255 + len(":65535")


class Host(Struct, frozen=True):
    """A well-formed `Host`.
    authority: unchanged, as used in a URL. name: lower case, without brackets and a final dot.
    port: None if there is none: the default port of the scheme."""

    authority: str
    name: str
    port: int | None


def require_host(value: bytes, *, is_first: bool) -> None:
    """Refuses with Invalid a malformed `Host`, and a second one. It may be empty."""
    if not is_first:
        raise _malformed("comes more than once")
    if value:
        read_host(value)


@cached_for_short_keys
def read_host(value: bytes) -> Host:
    """The parsed value of a `Host` header. Refuses with Invalid all but `name` and `name:port`."""
    if len(value) > _MAX_BYTES:
        raise _malformed(f"is longer than {_MAX_BYTES} bytes")
    match = _HOST.fullmatch(value.decode("latin-1"))
    if match is None:
        raise _malformed("must be a host name or an address, and a port if there is one")
    name, port = match["name"].lower().removesuffix("."), match["port"]
    if ipv6 := match["ipv6"]:
        try:
            name = str(IPv6Address(ipv6))
        except ValueError:
            raise _malformed("has no IPv6 address between its brackets") from None
    if not port:
        return Host(match["name"], name, None)
    if int(port) > 65535:
        raise _malformed("has a port above 65535")
    return Host(f"{match['name']}:{port}", name, int(port))


def _malformed(sentence: str) -> Invalid:
    return Invalid.at("header Host", "host", sentence)
