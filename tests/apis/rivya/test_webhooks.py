"""Webhook endpoints: made, shown, changed, deleted, and every refused address."""

from __future__ import annotations

from typing import Any

import pytest

from tests import rivya
from tests.asgi import Answer
from tests.mock import KEY, START, MakeMock, Mock
from tests.rows import each_row

ROUTES = [(method, path) for method, path, scope in rivya.OPERATIONS if scope == "webhooks:manage"]
ROUTES_OF_ONE = [(method, path) for method, path in ROUTES if "whend_x" in path]
SUCCEEDED, FAILED = "generation.succeeded", "generation.failed"
URL = "https://client.example/hook"
ENDPOINT = {"name": "Mine", "url": URL, "event_types": [SUCCEEDED]}
STARTED = START.replace("Z", ".000Z")
LATER = "2026-05-11T00:01:00.000Z"


def make(mock: Mock, *, key: str = KEY, **fields: Any) -> Any:
    """A new endpoint as the create answer shows it."""
    answer = mock.rivya("POST", "/webhooks", ENDPOINT | fields, key=key)
    assert answer.status == 200, answer.body
    return answer.json()


# --- hosts that this server was told it may call ------------------------------------------------

_LOCAL_URLS = [
    "http://app:3000/hook",
    "https://app/hook",
    "http://host.docker.internal:3000/hook",
    "http://172.17.0.1:3000/hook",
    "http://[fd00::1]:3000/hook",
    "http://a.test.internal/hook",
]
_HOSTS = ["app", "host.docker.internal", "172.17.0.1", "[fd00::1]", "*.internal"]


@pytest.mark.parametrize("hosts", [_HOSTS, ["*"]])
@pytest.mark.parametrize("url", _LOCAL_URLS)
def test_a_host_that_may_be_called_passes_the_rules_of_local_urls(
    make_mock: MakeMock, hosts: list[str], url: str
) -> None:
    mock = make_mock(callback_hosts=hosts)
    endpoint = make(mock, url=url)
    assert changed(mock, endpoint, url=f"{url}/new")["url"] == f"{url}/new"


@pytest.mark.parametrize(
    "settings", [{}, {"callback_hosts": ["*"], "webhook_urls": "strict"}, {"callback_hosts": ["b"]}]
)
@pytest.mark.parametrize("url", _LOCAL_URLS)
def test_any_other_local_host_is_refused(
    make_mock: MakeMock, settings: dict[str, Any], url: str
) -> None:
    mock = make_mock(**settings)
    rivya.refusal(mock.rivya("POST", "/webhooks", ENDPOINT | {"url": url}), "webhook_url_rejected")


@pytest.mark.parametrize("url", ["http://u@app/", "http://app/#x", "ftp://app/", "http:///x"])
def test_the_other_rules_hold_for_a_host_that_may_be_called_too(
    make_mock: MakeMock, url: str
) -> None:
    mock = make_mock(callback_hosts=["*"])
    rivya.refusal(mock.rivya("POST", "/webhooks", ENDPOINT | {"url": url}), "webhook_url_rejected")


# --- what is made ------------------------------------------------------------------------------


def right(answer: Answer) -> Any:
    """The body of an answer with status 200."""
    assert answer.status == 200, answer.body
    return answer.json()


def patch(mock: Mock, endpoint: Any, **fields: Any) -> Answer:
    return mock.rivya("PATCH", f"/webhooks/{endpoint['id']}", fields)


def changed(mock: Mock, endpoint: Any, **fields: Any) -> Any:
    """The endpoint as the answer to a change shows it."""
    return right(patch(mock, endpoint, **fields))


def shown(mock: Mock, endpoint: Any) -> Any:
    return right(mock.rivya("GET", f"/webhooks/{endpoint['id']}"))


def listed(mock: Mock, *, key: str = KEY) -> list[Any]:
    envelope = mock.rivya("GET", "/webhooks", key=key).json()
    assert envelope["object"] == "list"
    data: list[Any] = envelope["data"]
    return data


def delete(mock: Mock, endpoint: Any) -> Any:
    return right(mock.rivya("DELETE", f"/webhooks/{endpoint['id']}"))


def rotate(mock: Mock, endpoint: Any) -> Any:
    return right(mock.rivya("POST", f"/webhooks/{endpoint['id']}/rotate-secret"))


def without_secret(endpoint: Any) -> Any:
    return {name: value for name, value in endpoint.items() if name != "signing_secret"}


def preview(secret: str) -> str:
    return f"{secret[:8]}...{secret[-6:]}"


@pytest.fixture
def two(make_mock: MakeMock) -> Mock:
    """A mock with two accounts."""
    return make_mock(accounts=[rivya.account("a", a={}), rivya.account("b", b={})])


# --- who may ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_webhook_route_needs_a_key(mock: Mock, method: str, path: str) -> None:
    rivya.refusal(mock.rivya(method, path, ENDPOINT, key=None), "api_key_missing")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_webhook_route_needs_its_scope(make_mock: MakeMock, method: str, path: str) -> None:
    keys: dict[str, Any] = {"it": {"scopes": rivya.scopes_without("webhooks:manage")}}
    mock = make_mock(accounts=[rivya.account("a", **keys)])
    rivya.refusal(mock.rivya(method, path, ENDPOINT, key="rvya_sk_it"), "api_scope_denied")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_the_scope_for_webhooks_alone_is_enough(
    make_mock: MakeMock, method: str, path: str
) -> None:
    keys: dict[str, Any] = {"it": {"scopes": ["webhooks:manage"]}}
    mock = make_mock(accounts=[rivya.account("a", **keys)])
    endpoint = make(mock, key="rvya_sk_it")
    body = ENDPOINT if method in {"POST", "PATCH"} else None
    found = path.replace("whend_x", endpoint["id"])
    assert mock.rivya(method, found, body, key="rvya_sk_it").status == 200


@pytest.mark.parametrize("path", ["/webhooks/a/b", "/webhooks/a/rotate-secret/x", "/webhook"])
def test_no_other_webhook_route_is_known(mock: Mock, path: str) -> None:
    rivya.refusal(mock.rivya("GET", path), "not_found")


@pytest.mark.parametrize(("method", "path"), ROUTES_OF_ONE)
def test_an_unknown_endpoint_is_not_found(mock: Mock, method: str, path: str) -> None:
    rivya.refusal(mock.rivya(method, path, ENDPOINT), "not_found")


@pytest.mark.parametrize(("method", "path"), ROUTES_OF_ONE)
def test_another_accounts_endpoint_is_not_found(two: Mock, method: str, path: str) -> None:
    endpoint = make(two, key="rvya_sk_a")
    found = path.replace("whend_x", endpoint["id"])
    rivya.refusal(two.rivya(method, found, ENDPOINT, key="rvya_sk_b"), "not_found")


@pytest.mark.parametrize(("method", "path"), ROUTES_OF_ONE)
def test_a_refused_request_changes_nothing(two: Mock, method: str, path: str) -> None:
    endpoint = make(two, key="rvya_sk_a")
    found = path.replace("whend_x", endpoint["id"])
    two.rivya(method, found, {"name": "Taken over"}, key="rvya_sk_b")
    assert listed(two, key="rvya_sk_a") == [without_secret(endpoint)]
    assert len(two.world.deliveries) == 0


# --- make and show ---------------------------------------------------------------------------


def test_a_new_endpoint_has_every_field(mock: Mock) -> None:
    endpoint = make(mock)
    secret = endpoint["signing_secret"]
    assert endpoint == {
        "id": endpoint["id"],
        "object": "webhook_endpoint",
        "name": "Mine",
        "url": URL,
        "event_types": [SUCCEEDED],
        "status": "active",
        "secret_preview": preview(secret),
        "signing_secret": secret,
        "last_success_at": None,
        "last_failure_at": None,
        "failure_count": 0,
        "created_at": STARTED,
        "updated_at": STARTED,
        "disabled_at": None,
        "revoked_at": None,
    }


def test_an_id_says_what_it_is_of(mock: Mock) -> None:
    assert make(mock)["id"].startswith("whend_")


def test_a_secret_says_what_it_is(mock: Mock) -> None:
    assert make(mock)["signing_secret"].startswith("whsec_")


def test_a_preview_shows_no_more_than_the_ends_of_the_secret(mock: Mock) -> None:
    endpoint = make(mock)
    assert len(endpoint["secret_preview"]) == 8 + 3 + 6
    assert len(endpoint["signing_secret"]) > 8 + 6 + 16


def test_a_name_may_be_left_out_and_is_empty_then(mock: Mock) -> None:
    body = {"url": URL, "event_types": [SUCCEEDED]}
    assert mock.rivya("POST", "/webhooks", body).json()["name"] == ""


def test_an_event_type_named_twice_counts_once(mock: Mock) -> None:
    endpoint = make(mock, event_types=[FAILED, SUCCEEDED, FAILED])
    assert endpoint["event_types"] == [FAILED, SUCCEEDED]


def test_unknown_fields_are_ignored(mock: Mock) -> None:
    endpoint = make(mock, id="whend_mine", signing_secret="whsec_mine", status="disabled")
    assert endpoint["id"] != "whend_mine"
    assert endpoint["signing_secret"] != "whsec_mine"
    assert endpoint["status"] == "active"


def test_the_same_address_twice_is_two_endpoints_with_secrets_of_their_own(mock: Mock) -> None:
    first, second = make(mock), make(mock)
    assert first["id"] != second["id"]
    assert first["signing_secret"] != second["signing_secret"]


def test_get_shows_the_endpoint_without_its_secret(mock: Mock) -> None:
    endpoint = make(mock)
    assert shown(mock, endpoint) == without_secret(endpoint)


def test_the_list_shows_endpoints_newest_first_without_secrets(mock: Mock) -> None:
    endpoints = [make(mock, name=name) for name in "abc"]
    assert listed(mock) == [without_secret(endpoint) for endpoint in reversed(endpoints)]


def test_a_list_of_none_is_empty(mock: Mock) -> None:
    assert listed(mock) == []


def test_each_account_has_a_list_of_its_own(two: Mock) -> None:
    ours, theirs = make(two, key="rvya_sk_a"), make(two, key="rvya_sk_b")
    assert [each["id"] for each in listed(two, key="rvya_sk_a")] == [ours["id"]]
    assert [each["id"] for each in listed(two, key="rvya_sk_b")] == [theirs["id"]]


def test_a_list_has_the_latest_hundred(mock: Mock) -> None:
    endpoints = [make(mock) for _ in range(101)]
    assert [each["id"] for each in listed(mock)] == [
        endpoint["id"] for endpoint in reversed(endpoints[1:])
    ]


@pytest.mark.parametrize("rest", ["/deliveries", None])
def test_nothing_was_sent_at_first(mock: Mock, rest: str | None) -> None:
    endpoint = make(mock)
    path = f"/webhooks/{endpoint['id']}{rest}" if rest else "/webhook-events"
    assert mock.rivya("GET", path).json() == {"object": "list", "data": []}


# --- change ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Yours"),
        ("name", ""),
        ("url", "https://other.example/"),
        ("event_types", [FAILED]),
        ("event_types", [SUCCEEDED, FAILED]),
    ],
)
def test_a_change_changes_that_field_and_when_it_was_changed(
    mock: Mock, field: str, value: Any
) -> None:
    endpoint = make(mock)
    mock.advance(60)
    expected = without_secret(endpoint) | {field: value, "updated_at": LATER}
    assert changed(mock, endpoint, **{field: value}) == expected
    assert shown(mock, endpoint) == expected


def test_several_fields_change_at_once(mock: Mock) -> None:
    endpoint = changed(mock, make(mock), name="Yours", event_types=[FAILED], status="disabled")
    assert (endpoint["name"], endpoint["event_types"]) == ("Yours", [FAILED])
    assert endpoint["status"] == "disabled"


def test_a_disabled_endpoint_shows_since_when(mock: Mock) -> None:
    endpoint = make(mock)
    mock.advance(60)
    off = changed(mock, endpoint, status="disabled")
    assert (off["status"], off["disabled_at"], off["updated_at"]) == ("disabled", LATER, LATER)


def test_an_endpoint_disabled_twice_shows_the_first_time(mock: Mock) -> None:
    endpoint = make(mock)
    changed(mock, endpoint, status="disabled")
    mock.advance(60)
    assert changed(mock, endpoint, status="disabled")["disabled_at"] == STARTED


def test_an_endpoint_can_be_enabled_again(mock: Mock) -> None:
    endpoint = make(mock)
    changed(mock, endpoint, status="disabled")
    on = changed(mock, endpoint, status="active")
    assert (on["status"], on["disabled_at"]) == ("active", None)


def test_a_disabled_endpoint_stays_in_the_list(mock: Mock) -> None:
    endpoint = changed(mock, make(mock), status="disabled")
    assert listed(mock) == [endpoint]


def test_a_change_leaves_the_secret_as_it_was(mock: Mock) -> None:
    endpoint = make(mock)
    assert changed(mock, endpoint, name="b")["secret_preview"] == endpoint["secret_preview"]


# --- take back -------------------------------------------------------------------------------


def test_delete_shows_the_endpoint_as_revoked_and_since_when(mock: Mock) -> None:
    endpoint = make(mock)
    mock.advance(60)
    assert delete(mock, endpoint) == without_secret(endpoint) | {
        "status": "revoked",
        "revoked_at": LATER,
        "updated_at": LATER,
    }


def test_a_revoked_endpoint_can_still_be_read(mock: Mock) -> None:
    endpoint = make(mock)
    assert delete(mock, endpoint) == shown(mock, endpoint)


def test_a_revoked_endpoint_is_not_in_the_list(mock: Mock) -> None:
    kept, revoked = make(mock), make(mock)
    delete(mock, revoked)
    assert [each["id"] for each in listed(mock)] == [kept["id"]]


def test_an_endpoint_deleted_twice_shows_the_first_time(mock: Mock) -> None:
    endpoint = make(mock)
    first = delete(mock, endpoint)
    mock.advance(60)
    assert delete(mock, endpoint) == first


@pytest.mark.parametrize("status", ["active", "disabled"])
def test_a_revoked_endpoint_cannot_be_changed(mock: Mock, status: str) -> None:
    endpoint = make(mock)
    delete(mock, endpoint)
    patch(mock, endpoint, status=status)
    assert shown(mock, endpoint)["status"] == "revoked"
    assert shown(mock, endpoint)["revoked_at"] == STARTED


# --- rotate ----------------------------------------------------------------------------------


def test_rotation_shows_another_secret_and_its_preview(mock: Mock) -> None:
    endpoint = make(mock)
    mock.advance(60)
    rotated = rotate(mock, endpoint)
    secret = rotated["signing_secret"]
    assert secret.startswith("whsec_")
    assert secret != endpoint["signing_secret"]
    assert rotated == endpoint | {
        "signing_secret": secret,
        "secret_preview": preview(secret),
        "updated_at": LATER,
    }


def test_after_a_rotation_get_shows_the_new_preview_alone(mock: Mock) -> None:
    endpoint = make(mock)
    rotated = rotate(mock, endpoint)
    assert shown(mock, endpoint) == without_secret(rotated)


def test_every_rotation_gives_a_new_secret(mock: Mock) -> None:
    endpoint = make(mock)
    secrets = {rotate(mock, endpoint)["signing_secret"] for _ in range(10)}
    assert len(secrets | {endpoint["signing_secret"]}) == 11


# --- addresses -------------------------------------------------------------------------------

LOOPBACK = [
    "http://127.0.0.1:8080/hook",
    "http://localhost/hook",
    "http://LOCALHOST/hook",
    "http://a.localhost:9/",
    "http://[::1]:8080/hook",
    "http://127.1/",
    "http://0x7f000001/",
    "http://017700000001/",
    "http://2130706433/",
    "http://[::ffff:7f00:1]/",
    "https://localhost/hook",
    "https://127.0.0.1/hook",
]
BAD = [
    "",
    "client.example/hook",
    "//client.example/hook",
    "/hook",
    "ftp://client.example/hook",
    "javascript:alert(1)",
    "https://",
    "https:///hook",
    "https://?x",
    "http://client.example/hook",
    "HTTP://client.example/hook",
    "https://user@client.example/hook",
    "https://user:password@client.example/hook",
    "https://@client.example/hook",
    "https://127.0.0.1@client.example/hook",
    "https://client.example/hook#part",
    "https://client.example/hook#",
    "https://client.example:65536/",
    "https://client.example:port/",
    "https://client.example/a b",
    "https://client.example/\n",
    " https://client.example/",
    "https://client.example\\@10.0.0.1/",
    "https://clïent.example/",
    "https://client.example/" + "x" * 2048,
    "https://intranet/",
    "https://printer.local/",
    "https://printer.local./",
    "https://db.internal/",
    "https://DB.INTERNAL/",
    "https://10.0.0.1/hook",
    "https://10.1/hook",
    "https://0xa.0.0.1/",
    "https://0xa000001/",
    "https://012.0.0.1/",
    "https://167772161/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://0/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://203.0.113.7/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[fe80::1]/",
    "https://[fc00::1]/",
    "https://[fd12:3456::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[::ffff:a00:1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::a00:1]/",
    "https://[64:ff9b::a00:1]/",
    "https://[2002:a00:1::1]/",
    "https://[::1",
    "https://0x-1/",
]
GOOD = [
    "https://client.example/hook",
    "https://client.example",
    "https://client.example:8443/hook?a=b&c=%20",
    "HTTPS://Client.Example/Hook",
    "https://localhost.example/",
    "https://internal.example/",
    "https://93.184.216.34/hook",
    "https://172.32.0.1/",
    "https://[2606:4700::1111]/hook",
    "https://xn--bcher-kva.example/",
]


@each_row("url", BAD)
@each_row("rule", ["local", "strict"])
def test_a_new_endpoint_with_a_bad_address_is_refused(
    make_mock: MakeMock, url: str, rule: str
) -> None:
    mock = make_mock(webhook_urls=rule)
    rivya.refusal(mock.rivya("POST", "/webhooks", ENDPOINT | {"url": url}), "webhook_url_rejected")
    assert listed(mock) == []


@each_row("url", BAD)
@each_row("rule", ["local", "strict"])
def test_a_change_to_a_bad_address_is_refused(make_mock: MakeMock, url: str, rule: str) -> None:
    mock = make_mock(webhook_urls=rule)
    endpoint = make(mock)
    rivya.refusal(patch(mock, endpoint, url=url, name="Yours"), "webhook_url_rejected")
    assert shown(mock, endpoint) == without_secret(endpoint)


@pytest.mark.parametrize("url", GOOD)
@pytest.mark.parametrize("rule", ["local", "strict"])
def test_a_public_https_address_is_taken_and_shown_as_it_was_sent(
    make_mock: MakeMock, url: str, rule: str
) -> None:
    assert make(make_mock(webhook_urls=rule), url=url)["url"] == url


@pytest.mark.parametrize("url", LOOPBACK)
def test_a_local_address_is_accepted_by_default(mock: Mock, url: str) -> None:
    assert make(mock, url=url)["url"] == url


@pytest.mark.parametrize("url", LOOPBACK)
def test_a_change_to_a_local_address_is_accepted_by_default(mock: Mock, url: str) -> None:
    assert changed(mock, make(mock), url=url)["url"] == url


@pytest.mark.parametrize("url", LOOPBACK)
def test_the_strict_rule_refuses_a_local_address(make_mock: MakeMock, url: str) -> None:
    mock = make_mock(webhook_urls="strict")
    rivya.refusal(mock.rivya("POST", "/webhooks", ENDPOINT | {"url": url}), "webhook_url_rejected")


@pytest.mark.parametrize("url", LOOPBACK)
def test_the_strict_rule_refuses_a_change_to_a_local_address(make_mock: MakeMock, url: str) -> None:
    mock = make_mock(webhook_urls="strict")
    rivya.refusal(patch(mock, make(mock), url=url), "webhook_url_rejected")


NOT_PUBLIC = [
    ["10.0.0.1"],
    ["172.16.0.1"],
    ["192.168.1.1"],
    ["127.0.0.1"],
    ["169.254.169.254"],
    ["100.64.0.1"],
    ["0.0.0.0"],
    ["224.0.0.1"],
    ["::1"],
    ["::"],
    ["fe80::1%eth0"],
    ["fc00::1"],
    ["::ffff:10.0.0.1"],
    ["::ffff:127.0.0.1"],
    ["64:ff9b::a00:1"],
    ["2002:a00:1::1"],
    ["93.184.216.34", "10.0.0.1"],
    ["2606:4700::1111", "93.184.216.34", "::1"],
    ["no address"],
]
PUBLIC = [["93.184.216.34"], ["2606:4700::1111", "93.184.216.34"], ["::ffff:93.184.216.34"], []]


@pytest.mark.parametrize("addresses", NOT_PUBLIC)
def test_the_strict_rule_refuses_a_name_with_an_address_that_is_not_public(
    make_mock: MakeMock, addresses: list[str]
) -> None:
    mock = make_mock(webhook_urls="strict")
    endpoint = make(mock)
    mock.addresses["client.example"] = addresses
    message = rivya.refusal(mock.rivya("POST", "/webhooks", ENDPOINT), "webhook_url_rejected")
    assert "client.example" in message
    assert listed(mock) == [without_secret(endpoint)]
    mock.addresses["moved.example"] = addresses
    url = "https://moved.example/hook"
    rivya.refusal(patch(mock, endpoint, url=url, name="Yours"), "webhook_url_rejected")
    assert shown(mock, endpoint) == without_secret(endpoint)


@pytest.mark.parametrize("addresses", PUBLIC)
def test_a_name_with_public_addresses_or_none_is_accepted(
    make_mock: MakeMock, addresses: list[str]
) -> None:
    mock = make_mock(webhook_urls="strict")
    mock.addresses["client.example"] = addresses
    assert changed(mock, make(mock), url=URL)["url"] == URL


@pytest.mark.parametrize(
    "url",
    [
        "https://CLIENT.example/hook",
        "https://client.example:8443/hook",
        "https://client.example./hook",
        "https://client\u3002example/hook",
    ],
)
def test_a_name_is_looked_up_in_every_spelling(make_mock: MakeMock, url: str) -> None:
    mock = make_mock(webhook_urls="strict")
    mock.addresses |= {"client.example": ["10.0.0.1"], "client.example.": ["10.0.0.1"]}
    rivya.refusal(mock.rivya("POST", "/webhooks", ENDPOINT | {"url": url}), "webhook_url_rejected")


@pytest.mark.parametrize("addresses", NOT_PUBLIC)
def test_names_are_not_looked_up_by_default(mock: Mock, addresses: list[str]) -> None:
    mock.addresses["client.example"] = addresses
    assert make(mock)["url"] == URL


def test_a_change_of_another_field_looks_up_no_name(make_mock: MakeMock) -> None:
    mock = make_mock(webhook_urls="strict")
    endpoint = make(mock)
    mock.addresses["client.example"] = ["10.0.0.1"]
    assert changed(mock, endpoint, name="Yours")["name"] == "Yours"


@pytest.mark.parametrize(
    "url", ["http://a@127.0.0.1/", "http://localhost/#part", "ftp://localhost/", "http://[::1"]
)
def test_a_malformed_local_address_is_refused_too(mock: Mock, url: str) -> None:
    rivya.refusal(mock.rivya("POST", "/webhooks", ENDPOINT | {"url": url}), "webhook_url_rejected")


# --- bodies ----------------------------------------------------------------------------------

NO_OBJECTS = [b"[]", b'"x"', b"1", b"null"]
WRONG: list[tuple[str, Any, str]] = [
    ("url", None, "/url"),
    ("url", 7, "/url"),
    ("url", [URL], "/url"),
    ("name", None, "/name"),
    ("name", 7, "/name"),
    ("event_types", None, "/event_types"),
    ("event_types", [], "/event_types"),
    ("event_types", SUCCEEDED, "/event_types"),
    ("event_types", {SUCCEEDED: True}, "/event_types"),
    ("event_types", ["generation.queued"], "/event_types/0"),
    ("event_types", [SUCCEEDED, "*"], "/event_types/1"),
    ("event_types", [SUCCEEDED.upper()], "/event_types/0"),
]
WRONG_STATUS: list[tuple[str, Any, str]] = [
    ("status", status, "/status") for status in (None, True, "", "revoked", "Active")
]


@pytest.mark.parametrize(("field", "value", "place"), WRONG)
def test_a_wrong_field_of_a_new_endpoint_is_named(
    mock: Mock, field: str, value: Any, place: str
) -> None:
    rivya.invalid_at(mock.rivya("POST", "/webhooks", ENDPOINT | {field: value}), place)
    assert listed(mock) == []


@pytest.mark.parametrize(("field", "value", "place"), WRONG + WRONG_STATUS)
def test_a_wrong_field_of_a_change_is_named_and_nothing_changes(
    mock: Mock, field: str, value: Any, place: str
) -> None:
    endpoint = make(mock)
    mock.advance(60)
    right = {"name": "Yours", "url": "https://other.example/", "status": "disabled"}
    rivya.invalid_at(patch(mock, endpoint, **right | {field: value}), place)
    assert shown(mock, endpoint) == without_secret(endpoint)


@pytest.mark.parametrize("item", [None, 7, [SUCCEEDED]])
def test_an_event_type_is_a_string(mock: Mock, item: Any) -> None:
    answer = mock.rivya("POST", "/webhooks", ENDPOINT | {"event_types": [item]})
    assert "/event_types/0" in rivya.refusal(answer, "validation_failed")


@pytest.mark.parametrize("field", ["url", "event_types"])
def test_a_missing_field_is_named(mock: Mock, field: str) -> None:
    body = {name: value for name, value in ENDPOINT.items() if name != field}
    rivya.invalid_at(mock.rivya("POST", "/webhooks", body), f"/{field}")


def test_all_missing_fields_are_named_at_once(mock: Mock) -> None:
    rivya.invalid_at(mock.rivya("POST", "/webhooks", {}), "/url", "/event_types")


@pytest.mark.parametrize("body", NO_OBJECTS)
def test_a_new_endpoint_is_an_object(mock: Mock, body: bytes) -> None:
    rivya.refusal(mock.rivya("POST", "/webhooks", body), "validation_failed")


@pytest.mark.parametrize("body", [*NO_OBJECTS, b"", b"{", b"\xff"])
def test_a_change_is_an_object(mock: Mock, body: bytes) -> None:
    endpoint = make(mock)
    rivya.refusal(mock.rivya("PATCH", f"/webhooks/{endpoint['id']}", body), "validation_failed")
    assert shown(mock, endpoint) == without_secret(endpoint)


def test_a_mistyped_event_type_is_refused_with_the_right_one(mock: Mock) -> None:
    body = ENDPOINT | {"event_types": ["generation.succeded"]}
    message = rivya.invalid_at(mock.rivya("POST", "/webhooks", body), "/event_types/0")
    assert f"did you mean '{SUCCEEDED}'" in message


def test_a_bad_address_beside_another_mistake_is_a_mistake_of_the_body(mock: Mock) -> None:
    body = {"url": "ftp://client.example", "event_types": []}
    rivya.invalid_at(mock.rivya("POST", "/webhooks", body), "/url", "/event_types")
