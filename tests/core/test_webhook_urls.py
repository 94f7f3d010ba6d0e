"""The URLs that webhooks may have, in every spelling."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mock_server.core.refusals import WebhookUrlRejected
from mock_server.core.webhook_urls import is_loopback, loopback_address, require_public
from tests.rows import each_row

PUBLIC = [
    "https://example.com",
    "https://example.com/",
    "https://example.com./hook",
    "https://hooks.example.co.uk/a/b",
    "HTTPS://EXAMPLE.COM/Hook",
    "https://example.com/hook?account=1&next=https://localhost/",
    "https://example.com/user@localhost",
    "https://example.com/hook%23part",
    "https://example.com:",
    "https://example.com:443/hook",
    "https://example.com:8443/hook",
    "https://example.com:65535/hook",
    "https://xn--bcher-kva.example/hook",
    "https://bücher.example/hook",
    # Names that are similar to the local ones.
    "https://localhost.example.com/",
    "https://mylocalhost.com/",
    "https://local.example.com/",
    "https://internal.example.com/",
    "https://notinternal.com/",
    "https://127.0.0.1.example.com/",
    "https://0x7f.example.com/",
    "https://1.2.3.4.5.example.com/",
    # Public addresses.
    "https://8.8.8.8/hook",
    "https://8.8.8.8:8443/hook",
    "https://8.8.8.8./hook",
    "https://134744072/hook",
    "https://0x08080808/hook",
    "https://9.255.255.255/",
    "https://11.0.0.0/",
    "https://100.63.255.255/",
    "https://100.128.0.0/",
    "https://126.255.255.255/",
    "https://128.0.0.1/",
    "https://172.15.255.255/",
    "https://172.32.0.0/",
    "https://192.167.255.255/",
    "https://192.169.0.0/",
    "https://223.255.255.255/",
    "https://[2606:4700:4700::1111]/hook",
    "https://[2606:4700:4700::1111]:8443/hook",
    "https://[2606:4700:4700:0:0:0:0:1111]/",
    "https://[2A00:1450:4001:81B::200E]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[::ffff:808:808]/",
    "https://[2002:808:808::1]/",
    "https://[64:ff9b::808:808]/",
]

LOOPBACK_HOSTS = [
    "localhost",
    "LOCALHOST",
    "LocalHost",
    "localhost.",
    "hooks.localhost",
    "a.b.LOCALHOST.",
    "127.0.0.1",
    "127.0.0.1.",
    "127.0.0.2",
    "127.255.255.255",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0X7F000001",
    "0x7f.1",
    "0x7f.0.0.0x1",
    "0177.0.0.1",
    "0177.1",
    "017700000001",
    "00000000177.0.0.01",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:1]",
]

# Addresses that contain a loopback one and are another machine.
CARRYING_HOSTS = [
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[2002:7f00:1::]",
    "[2002:7f00:1::1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2001:0:7f00:1::]",
    "[fe80::7f00:1]",
    "[::1%25lo]",
    "[::2]",
]

# Hosts that no setting allows.
LOCAL_HOSTS = [
    *CARRYING_HOSTS,
    # Names.
    "printer.local",
    "PRINTER.LOCAL",
    "printer.local.",
    "db.internal",
    "db.Internal.",
    "local",
    "internal",
    "intranet",
    "intranet.",
    "com",
    # Unspecified, also in its short forms.
    "0.0.0.0",
    "0",
    "0x0",
    "0x",
    "0.0",
    "0.1.2.3",
    # Private.
    "10.0.0.1",
    "10.0.0.1.",
    "10.255.255.255",
    "10.1",
    "167772161",
    "0xa000001",
    "012.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.1",
    "0300.0250.0.1",
    "0xc0.0xa8.0.1",
    "3232235521",
    "100.64.0.1",
    "100.127.255.255",
    # Link-local, where clouds serve their credentials.
    "169.254.0.1",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    # Reserved, documentation, benchmarks.
    "192.0.0.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "198.19.255.255",
    "240.0.0.1",
    "254.255.255.255",
    # Multicast and broadcast.
    "224.0.0.1",
    "239.255.255.255",
    "255.255.255.255",
    "4294967295",
    "0xffffffff",
    # IPv6.
    "[::]",
    "[0:0:0:0:0:0:0:0]",
    "[::2]",
    "[fe80::1]",
    "[FE80::1]",
    "[fe80::1%25eth0]",
    "[febf::1]",
    "[fc00::1]",
    "[fd12:3456:789a::1]",
    "[ff02::1]",
    "[ff0e::1]",
    "[2001:db8::1]",
    "[100::1]",
    "[2001::1]",
    "[4000::1]",
    # IPv6 around an IPv4 address.
    "[::ffff:10.0.0.1]",
    "[::ffff:a00:1]",
    "[::ffff:192.168.0.1]",
    "[::ffff:c0a8:1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:0.0.0.0]",
    "[::ffff:224.0.0.1]",
    "[::ffff:255.255.255.255]",
    "[::ffff:0:10.0.0.1]",
    "[::10.0.0.1]",
    "[::a00:1]",
    "[::192.168.0.1]",
    "[2002:a00:1::]",
    "[2002:c0a8:1::1]",
    "[2002:a9fe:a9fe::]",
    "[2002:e000:1::]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b::a00:1]",
    "[64:ff9b::c0a8:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]",
]

# URLs that no setting allows because of the parts around the host.
ILL_FORMED = [
    # Another scheme, or none.
    "",
    " ",
    "example.com",
    "//example.com/",
    "/hook",
    "http://example.com/",
    "HTTP://example.com/",
    "http://8.8.8.8/",
    "http://[2606:4700:4700::1111]/",
    "ftp://example.com/",
    "ws://example.com/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "httpss://example.com/",
    # User info, even if it is empty.
    "https://ada@example.com/",
    "https://ada:secret@example.com/",
    "https://:secret@example.com/",
    "https://@example.com/",
    "https://:@example.com/",
    "https://ada@localhost/",
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1@example.com/",
    "https://@127.0.0.1/",
    "https://a@b@example.com/",
    # A fragment, even if it is empty.
    "https://example.com/#part",
    "https://example.com/#",
    "https://example.com#",
    "https://example.com#@localhost/",
    "https://example.com/?a=b#part",
    "https://localhost/#part",
    "https://127.0.0.1/#",
    # No host.
    "https://",
    "https:///hook",
    "https://./",
    "https://.../",
    "https://:443/",
    "https:example.com",
    "https:/example.com",
    # No port.
    "https://example.com:65536/",
    "https://example.com:99999999/",
    "https://example.com:-1/",
    "https://example.com:port/",
    "https://example.com:80:80/",
    "https://example.com:8_0/",
    "https://example.com:+80/",
    "https://localhost:65536/",
    "https://127.0.0.1:port/",
    # Brackets.
    "https://[::1/",
    "https://::1]/",
    "https://::1/",
    "https://[]/",
    "https://[/",
    "https://[:::1]/",
    "https://[example.com]/",
    "https://[localhost]/",
    "https://[2606:4700:4700::1111/",
    "https://[2606:4700:4700::1111]:port/",
    "https://[2606:4700:4700::11111]/",
    "https://[1:2:3:4:5:6:7:8:9]/",
]

# Spellings that were once accepted, or that raised.
SLIPS = [
    "https://0x-1/",  # raises AddressValueError
    "https://127.0\u30020.1/",  # an HTTP client takes this full stop for a dot
    "https://10.0.0\uff0e1/",
    "https://db.internal\uff61/",
    "https://[fec0::1]/",  # site-local
    "https://[v1.abc]/",
    "https://[2606:4700:4700::1111]a/",
    "https://256.256.256.256/",
    "https://10.0.0.08/",
    "https://127.0.0.%31/",
    "https://ex ample.com/",
]


@pytest.mark.parametrize("allow_loopback", [False, True])
@pytest.mark.parametrize("url", PUBLIC)
def test_a_public_url_is_accepted(url: str, allow_loopback: bool) -> None:
    require_public(url, allow_loopback=allow_loopback)


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
def test_every_spelling_of_this_machine_is_refused(host: str, scheme: str) -> None:
    with pytest.raises(WebhookUrlRejected):
        require_public(f"{scheme}://{host}:8080/hook", allow_loopback=False)


@pytest.mark.parametrize("scheme", ["https", "http", "HTTP"])
@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
def test_every_spelling_of_this_machine_is_accepted_on_request(host: str, scheme: str) -> None:
    require_public(f"{scheme}://{host}:8080/hook", allow_loopback=True)


@each_row("allow_loopback", [False, True])
@each_row("scheme", ["https", "http"])
@each_row("host", LOCAL_HOSTS)
def test_no_setting_allows_the_local_network(host: str, scheme: str, allow_loopback: bool) -> None:
    with pytest.raises(WebhookUrlRejected):
        require_public(f"{scheme}://{host}/hook", allow_loopback=allow_loopback)


@each_row("allow_loopback", [False, True])
@each_row("url", ILL_FORMED)
def test_no_setting_allows_an_ill_formed_url(url: str, allow_loopback: bool) -> None:
    with pytest.raises(WebhookUrlRejected):
        require_public(url, allow_loopback=allow_loopback)


@pytest.mark.parametrize("url", SLIPS)
def test_an_odd_spelling_is_refused(url: str) -> None:
    with pytest.raises(WebhookUrlRejected):
        require_public(url, allow_loopback=False)


@pytest.mark.parametrize("url", ["ftp://localhost/", "//localhost/", "file://127.0.0.1/a"])
def test_only_this_machine_is_accepted_over_http(url: str) -> None:
    with pytest.raises(WebhookUrlRejected):
        require_public(url, allow_loopback=True)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("https://ada@example.com/", "has no user name"),
        ("https://example.com/#", "has no fragment"),
        ("http://example.com/", "begins with https://"),
        ("https://Printer.local/", "'printer.local' is a local name"),
        ("https://0x7f.1/", r"127\.0\.0\.1 is no public address"),
        ("https://example.com:port/", "this is no url"),
    ],
)
def test_a_refusal_says_what_is_wrong(url: str, sentence: str) -> None:
    with pytest.raises(WebhookUrlRejected, match=sentence):
        require_public(url, allow_loopback=False)


@pytest.mark.parametrize(
    "host", ["example.com", "notlocalhost", "localhost.com", "8.8.8.8", "10.0.0.1", "0.0.0.0", "::"]
)
def test_another_host_is_no_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", CARRYING_HOSTS)
def test_an_address_that_contains_a_loopback_one_is_another_machine(host: str) -> None:
    assert not is_loopback(host.strip("[]"))
    assert not is_loopback(host.strip("[]").replace("%25", "%"))


@pytest.mark.parametrize(
    ("host", "connected"),
    [
        ("localhost", "localhost"),
        ("hook.localhost", "localhost"),  # RFC 6761: no resolver is asked for it
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("127.255.255.255", "127.255.255.255"),
        ("::1", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
    ],
)
def test_spellings_of_this_machine_do_not_depend_on_a_resolver(host: str, connected: str) -> None:
    assert loopback_address(host) == connected


@given(st.ip_addresses())
@example(IPv6Address("::1"))
@example(IPv6Address("::ffff:7f00:1"))
@example(IPv6Address("64:ff9b::7f00:1"))
def test_an_address_is_this_machine_exactly_if_it_is_a_loopback_one(
    address: IPv4Address | IPv6Address,
) -> None:
    inner = address if isinstance(address, IPv4Address) else address.ipv4_mapped or address
    is_here = inner == IPv6Address("::1") or inner in IPv4Network("127.0.0.0/8")
    assert is_loopback(str(address)) is is_here


@given(st.integers(0x7F000000, 0x7FFFFFFF), st.integers(0, 2**96 - 1))
def test_no_ipv6_address_is_this_machine_for_the_address_in_its_end(low: int, high: int) -> None:
    address = IPv6Address(high << 32 | low)
    assert is_loopback(str(address)) is (high == 0xFFFF)


def spellings(address: IPv4Address) -> list[str]:
    number = int(address)
    first, second, third, fourth = address.packed
    high, low = number >> 16, number & 0xFFFF
    return [
        str(address),
        f"{address}.",
        f"{first}.{second}.{low}",
        f"{first}.{number & 0xFFFFFF}",
        f"{number}",
        f"{number:#x}",
        f"{number:#X}",
        f"{first:#x}.{second:#x}.{third:#x}.{fourth:#x}",
        f"0{number:o}",
        f"0{first:o}.0{second:o}.0{third:o}.0{fourth:o}",
        f"{first:#x}.0{second:o}.{low}",
        f"[::ffff:{address}]",
        f"[::ffff:{high:x}:{low:x}]",
        f"[0:0:0:0:0:FFFF:{high:X}:{low:X}]",
        f"[2002:{high:x}:{low:x}::1]",
        f"[64:ff9b::{address}]",
    ]


def is_accepted(host: str) -> bool:
    try:
        require_public(f"https://{host}/hook", allow_loopback=False)
    except WebhookUrlRejected:
        return False
    return True


@given(st.ip_addresses(v=4))
@example(IPv4Address("0.0.0.0"))
@example(IPv4Address("0.0.0.1"))
@example(IPv4Address("8.8.8.8"))
@example(IPv4Address("127.0.0.1"))
@example(IPv4Address("255.255.255.255"))
def test_every_spelling_of_an_address_is_treated_alike(address: IPv4Address) -> None:
    public = address.is_global and not address.is_multicast
    judged = {host: is_accepted(host) for host in spellings(address)}
    assert judged == dict.fromkeys(judged, public)
