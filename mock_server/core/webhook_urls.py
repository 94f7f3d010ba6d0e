"""The URLs that a webhook may have: public ones, and on request this machine's."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

from mock_server.core.addresses import address_of
from mock_server.core.refusals import WebhookUrlRejected

# Characters that some clients accept as dots in a host name (UTS 46).
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s\[\]\\%<>^|]+)(:[0-9]*)?")
_LOCAL_NAMES = ("localhost", "local", "internal")
# An IPv6 address with this prefix has an IPv4 address in its last 32 bits (RFC 6052).
_NAT64 = 0x0064_FF9B << 96


def require_public(url: str, *, allow_loopback: bool, in_callback_hosts: bool = False) -> None:
    """Refuses with WebhookUrlRejected a URL that webhooks may not have (docs:api-webhooks).

    A URL must use https and have no user name and no fragment. Its host must not be a local name
    or a private, reserved or otherwise special address, in any spelling. allow_loopback: this
    machine is allowed too. in_callback_hosts: the host is in callback_hosts, so it is allowed.
    Both allow http.
    """
    parts = _parts(url)
    host = (parts.hostname or "").translate(_DOTS).rstrip(".").lower()
    if parts.username is not None or parts.password is not None:
        raise WebhookUrlRejected("a webhook url has no user name in it")
    if "#" in url:
        raise WebhookUrlRejected("a webhook url has no fragment")
    if not _AUTHORITY.fullmatch(parts.netloc):
        raise WebhookUrlRejected("the host of this url is malformed")
    is_local = in_callback_hosts or (allow_loopback and is_loopback(host))
    if host and is_local and parts.scheme in {"http", "https"}:
        return
    if parts.scheme.lower() != "https":
        raise WebhookUrlRejected("a webhook url begins with https://")
    address, last_label = _address(host), host.rpartition(".")[2]
    if last_label in _LOCAL_NAMES or ("." not in host and address is None):
        raise WebhookUrlRejected(f"'{host}' is a local name; a webhook goes to a public host")
    if address is None and last_label.isdigit():
        raise WebhookUrlRejected(f"'{host}' is no address")
    if address is not None and not _is_public(address):
        raise WebhookUrlRejected(f"{address} is no public address")


def require_public_addresses(host: str, addresses: Iterable[str]) -> None:
    """Refuses with WebhookUrlRejected a host with an address that is not public."""
    for spelled in addresses:
        address = _address(spelled.partition("%")[0])
        if address is None or not _is_public(address):
            raise WebhookUrlRejected(f"'{host}' leads to {spelled}, which is no public address")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    return loopback_address(host) is not None


def loopback_address(host: str) -> str | None:
    """The host to connect to if it is this machine; None if it is another.

    `localhost`, the names below it (RFC 6761, 6.3), 127.0.0.0/8, ::1 and 127.0.0.0/8 mapped into
    IPv6 are this machine. An IPv6 address that contains a loopback one for a translator or a tunnel
    is another machine.

    The result is `localhost` or an address in its usual form, because a resolver might read other
    spellings differently.
    """
    if host == "localhost" or host.endswith(".localhost"):
        return "localhost"
    address = _address(host)
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        address = address.ipv4_mapped or address
    return str(address) if address is not None and address.is_loopback else None


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise WebhookUrlRejected(f"this is no url: {error}") from None
    return parts


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address in any spelling: 127.1, 0x7f000001 and 017700000001 are the same."""
    return address_of(host) or _old_spelling(host)


def _old_spelling(host: str) -> IPv4Address | None:
    """One to four numbers, decimal, octal or hexadecimal; the last one fills the other bytes."""
    try:
        numbers = [_number(piece) for piece in host.split(".")]
    except ValueError:
        return None
    *leading, last = numbers
    if len(numbers) > 4 or any(number > 255 for number in leading):
        return None
    if last >= 256 ** (4 - len(leading)):
        return None
    shifted = sum(number << (24 - 8 * place) for place, number in enumerate(leading))
    return IPv4Address(shifted + last)


def _number(piece: str) -> int:
    lowered = piece.lower()
    if re.fullmatch("0x[0-9a-f]*", lowered):
        return int(lowered[2:] or "0", 16)
    if not (piece.isascii() and piece.isdigit()):
        raise ValueError(piece)
    return int(piece, 8) if piece.startswith("0") else int(piece)


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one, if there is one."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    number = int(address)
    if number >> 32 in (0, _NAT64 >> 32) and number > 1:
        return IPv4Address(number & 0xFFFF_FFFF)
    return address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    inner = _unwrapped(address)
    if isinstance(inner, IPv6Address) and inner.is_site_local:
        return False
    return inner.is_global and not inner.is_multicast and not inner.is_reserved
