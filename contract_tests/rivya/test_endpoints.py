"""Checks of endpoints beside the examples: texts, lists, refusals, and each change twice."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from contract_tests.exchange import Exchange
from contract_tests.requirements import code_of, require_refusal, require_success
from contract_tests.rivya.rules import RULE, require_equal
from contract_tests.rivya.test_webhooks import BOTH, PUBLIC_URL, endpoint, settings_of
from contract_tests.target import Caller
from contract_tests.texts import TEXTS
from contract_tests.verdicts import Require

pytestmark = pytest.mark.full

_URLS = (
    "https://hooks.example.com", "https://hooks.example.com/?", "https://hooks.example.com:8443/a",
    "HTTPS://Hooks.Example.COM/A/../b//c?a=1&b=%20x&c=%C3%A9&d=a+b&e", "https://hooks.example.com/%2F",
    "https://xn--bcher-kva.example/?redirect=https://a.test/%23", f"{PUBLIC_URL}/{'x' * 400}?y=1",
)  # fmt: skip
_NEVER_PUBLIC_URLS = (
    "https://10.0.0.1/", "https://10.255.255.255/x?y", "https://172.16.0.0/", "https://172.31.255.255/",
    "https://192.168.0.0:8443/", "https://192.168.255.255/", "https://169.254.0.1/",
    "https://[::ffff:10.0.0.1]/", "https://[::ffff:a00:1]/", "https://[fc00::1]/",
    "https://[fdff:ffff::1]/", "https://[fe80::1]/", "https://user:pass@hooks.example.com/",
    "https://@hooks.example.com/", "https://hooks.example.com/#", "ftp://hooks.example.com/",
    "https://a.LOCAL/", "https://x.internal./",
)  # fmt: skip
_RESERVED_URLS = (
    "https://0.1.2.3/", "https://100.64.0.0/", "https://100.127.255.255/", "https://198.18.0.1/",
    "https://192.0.2.1/", "https://198.51.100.7/", "https://203.0.113.9/", "https://240.0.0.1/",
    "https://255.255.255.255/", "https://239.255.255.255/", "https://[::]/", "https://[ff02::1]/",
    "https://[2001:db8::1]/", "https://10.1/", "https://167772161/", "https://0xa.0.0.1/",
    "https://012.0.0.1/",
)  # fmt: skip
_NEARLY_PRIVATE_URLS = (
    "https://9.255.255.255/", "https://11.0.0.0/", "https://172.15.255.255/", "https://172.32.0.0/",
    "https://192.167.255.255/", "https://192.169.0.0/", "https://169.253.255.255/",
    "https://169.255.0.0/", "https://100.63.255.255/", "https://100.128.0.0/",
    "https://10.0.0.1.example.com/", "https://local.example.com/",
)  # fmt: skip


@pytest.mark.rank(2)
@pytest.mark.holds(
    RULE + "endpoint-as-asked", RULE + "endpoint-can-be-changed", RULE + "takes-what-is-valid",
    "rivya.WebhookCreate*", "rivya.WebhookUpdate*",
)  # fmt: skip
def test_names_urls_and_types_come_back_as_they_were_sent(rivya: Caller, require: Require) -> None:
    bodies: list[dict[str, Any]] = [
        *({"name": text} for text in TEXTS), *({"url": url} for url in _URLS),
        {"event_types": BOTH[::-1]}, {"event_types": BOTH[:1]}, {"event_types": BOTH[1:]},
    ]  # fmt: skip
    with endpoint(rivya) as other:
        path = f"/webhooks/{other.json['id']}"
        for fields in bodies:
            with endpoint(rivya, **fields) as created:
                require_success(require, RULE + "takes-what-is-valid", created)
                again = rivya.get(f"/webhooks/{created.json['id']}")
            for rule, answer in (
                ("endpoint-as-asked", created), ("endpoint-as-asked", again),
                ("endpoint-can-be-changed", rivya.request("PATCH", path, json=fields)),
            ):  # fmt: skip
                got = {name: answer.json.get(name) for name in fields}
                require_equal(require, rule, got, fields, answer)


def _endpoints(caller: Caller) -> list[dict[str, Any]]:
    """Each listed endpoint as requests made it."""
    return [settings_of(entry) for entry in caller.get("/webhooks").json["data"]]


@pytest.mark.rank(1)
@pytest.mark.holds(
    RULE + "urls-must-be-public", RULE + "refuses-what-is-invalid",
    "rivya.error.webhook_url_rejected",
)  # fmt: skip
def test_no_address_that_is_not_public_gets_in_by_a_change(rivya: Caller, require: Require) -> None:
    with endpoint(rivya) as created:
        path, before = f"/webhooks/{created.json['id']}", _endpoints(rivya)
        for url in (*_NEVER_PUBLIC_URLS, *_RESERVED_URLS):
            body = {"url": url, "name": "changed", "event_types": BOTH[:1], "status": "disabled"}
            create = {"url": url, "name": "changed", "event_types": BOTH[:1]}
            for answer in (
                rivya.request("PATCH", path, json=body),
                rivya.post("/webhooks", create),
            ):
                rule = RULE + "urls-must-be-public"
                require_refusal(require, "rivya", answer, "webhook_url_rejected", rule)
        require_equal(
            require, "refuses-what-is-invalid", _endpoints(rivya), before,
            rivya.target.transport.last,
        )  # fmt: skip


@pytest.mark.rank(1)
@pytest.mark.needs("fake")
@pytest.mark.holds(RULE + "urls-must-be-public", RULE + "takes-what-is-valid")
def test_the_neighbours_of_private_addresses_are_public(rivya: Caller, require: Require) -> None:
    for url in _NEARLY_PRIVATE_URLS:
        with endpoint(rivya, url) as created:
            require_success(require, RULE + "takes-what-is-valid", created)


@pytest.mark.rank(1)
@pytest.mark.holds(
    RULE + "refuses-what-is-invalid", RULE + "endpoint-can-be-changed",
    "rivya.error.validation_failed",
)  # fmt: skip
def test_a_refused_change_or_create_leaves_the_endpoints_as_they_were(
    rivya: Caller, require: Require
) -> None:
    valid: dict[str, Any] = {"name": "changed", "url": f"{PUBLIC_URL}/changed"}
    invalid: list[dict[str, Any]] = [
        {"event_types": []}, {"event_types": [BOTH[0], "generation.queued"]}, {"event_types": None},
        {"name": None}, {"name": 5}, {"event_types": "generation.failed"}, {"url": 5},
    ]  # fmt: skip
    with endpoint(rivya) as created:
        path, before = f"/webhooks/{created.json['id']}", _endpoints(rivya)
        for fields in invalid:
            change = rivya.request("PATCH", path, json=valid | fields)
            more = rivya.post("/webhooks", valid | {"event_types": BOTH} | fields)
            for answer in (change, more):
                rule = RULE + "refuses-what-is-invalid"
                refused = code_of(answer) in {"validation_failed", "webhook_url_rejected"}
                require(rule, refused, expected="a refusal", got=answer.status, by=answer)
            now, last = _endpoints(rivya), rivya.target.transport.last
            require_equal(require, "refuses-what-is-invalid", now, before, last)
        one = settings_of(created.json)
        foreign = {"id": "whend_other", "failure_count": 7, "secret_preview": "x", "name": "n"}
        answer = rivya.request("PATCH", path, json=foreign)
        if answer.status < 300:
            _require_only_changed(require, answer, one, name="n")


def _require_only_changed(
    require: Require, answer: Exchange, before: dict[str, Any], **changed: Any
) -> dict[str, Any]:
    """Require that a change has set these fields, and no other but updated_at; the endpoint."""
    now: dict[str, Any] = settings_of(answer.json)
    expected = before | changed | {"updated_at": now["updated_at"]}
    require_equal(require, "endpoint-can-be-changed", now, expected, answer)
    is_no_earlier = now["updated_at"] >= before["updated_at"]
    require_equal(require, "endpoint-can-be-changed", is_no_earlier, True, answer)
    return now


@pytest.mark.rank(2)
@pytest.mark.holds(RULE + "endpoint-can-be-changed", RULE + "deleted-is-revoked")
def test_each_change_works_a_second_time(rivya: Caller, require: Require) -> None:
    clock = rivya.target.clock
    with endpoint(rivya) as created, endpoint(rivya) as bystander:
        path, shown = f"/webhooks/{created.json['id']}", settings_of(created.json)
        for round_number in range(2):
            for name, value in (
                ("name", f"name {round_number}"), ("url", f"{PUBLIC_URL}/{round_number}"),
                ("event_types", BOTH[: round_number + 1]),
            ):  # fmt: skip
                clock.advance(1 if clock.is_controlled else 0)
                answer = rivya.request("PATCH", path, json={name: value})
                shown = _require_only_changed(require, answer, shown, **{name: value})
            for status in ("disabled", "active"):
                answer = rivya.request("PATCH", path, json={"status": status})
                disabled_at = answer.json.get("disabled_at")
                is_set = disabled_at is not None
                require_equal(
                    require, "endpoint-can-be-changed", is_set, status == "disabled", answer
                )
                changed = {"status": status, "disabled_at": disabled_at}
                shown = _require_only_changed(require, answer, shown, **changed)
                answer = rivya.request("PATCH", path, json={"name": f"while {status}"})
                shown = _require_only_changed(require, answer, shown, name=f"while {status}")
        again = rivya.get(path)
        require_equal(require, "endpoint-can-be-changed", settings_of(again.json), shown, again)
        rivya.request("DELETE", path)
        clock.advance(1 if clock.is_controlled else 0)
        rivya.request("DELETE", path)
        ids = [entry["id"] for entry in _endpoints(rivya)]
        last = rivya.target.transport.last
        got = (created.json["id"] in ids, ids.count(bystander.json["id"]))
        require_equal(require, "deleted-is-revoked", got, (False, 1), last)
        other = rivya.get(f"/webhooks/{bystander.json['id']}")
        expected = settings_of(bystander.json)
        require_equal(require, "deleted-is-revoked", settings_of(other.json), expected, other)


@pytest.mark.rank(2)
@pytest.mark.holds(
    RULE + "rotation-makes-a-new-secret", RULE + "secret-shown-once", RULE + "preview-fits-secret"
)
def test_each_rotation_makes_another_secret(rivya: Caller, require: Require) -> None:
    with endpoint(rivya) as created, endpoint(rivya) as other:
        path, secrets = f"/webhooks/{created.json['id']}", [other.json["signing_secret"]]
        for answer in (
            created,
            *(rivya.request("POST", f"{path}/rotate-secret") for _ in range(3)),
        ):
            secret = answer.json.get("signing_secret", "")
            new = bool(secret) and secret not in secrets
            require_equal(require, "rotation-makes-a-new-secret", new, True, answer)
            secrets.append(secret)
        start, _, end = answer.json["secret_preview"].partition("...")
        fits = secret.startswith(start) and secret.endswith(end) and bool(end)
        require_equal(require, "preview-fits-secret", fits, True, answer)
        for later in (
            rivya.get(path), rivya.get("/webhooks"), rivya.get(f"{path}/deliveries"),
            rivya.request("PATCH", path, json={"name": "n"}), rivya.get("/webhook-events"),
            rivya.request("DELETE", path),
        ):  # fmt: skip
            hidden = not any(each.encode() in later.body for each in secrets)
            require(
                RULE + "secret-shown-once", hidden, expected="no secret", got="a secret", by=later
            )


@pytest.mark.rank(2)
@pytest.mark.holds(RULE + "newest-first", RULE + "endpoint-as-asked", RULE + "deleted-is-revoked")
def test_a_list_has_each_of_many_endpoints_once(rivya: Caller, require: Require) -> None:
    many, clock = 30, rivya.target.clock
    before = [entry["id"] for entry in _endpoints(rivya)]
    with ExitStack() as stack:
        created = []
        for number in range(many):
            created.append(stack.enter_context(endpoint(rivya, name=f"n{number}")))
            clock.advance(0.01 if clock.is_controlled else 0)
        ids = [answer.json["id"] for answer in created][::-1]
        listed = [entry["id"] for entry in _endpoints(rivya)]
        last = rivya.target.transport.last
        require_equal(require, "endpoint-as-asked", sorted(listed), sorted(ids + before), last)
        require_equal(require, "newest-first", listed, ids + before, last)
        rivya.request("DELETE", f"/webhooks/{ids[1]}")
        rivya.request("PATCH", f"/webhooks/{ids[-1]}", json={"name": "changed"})
        listed = [entry["id"] for entry in _endpoints(rivya)]
        last = rivya.target.transport.last
        require_equal(require, "deleted-is-revoked", listed, [ids[0], *ids[2:], *before], last)
