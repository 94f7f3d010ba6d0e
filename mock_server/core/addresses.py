"""Reads IP addresses."""

from ipaddress import IPv4Address, IPv6Address, ip_address


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The IPv4 address with four numbers, or the IPv6 address without brackets, that this text is;
    None if it is none."""
    try:
        return ip_address(text)
    except ValueError:
        return None
