"""Checks of who may do what with generations, files and endpoints that exist already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from contract_tests.exchange import Exchange
from contract_tests.requirements import require_refusal, require_success
from contract_tests.rivya.generations import create, credits_of, read, request_body
from contract_tests.rivya.rules import CHEAP, RULE, known, require_equal
from contract_tests.rivya.test_files import upload
from contract_tests.rivya.test_webhooks import BOTH, PUBLIC_URL, endpoint, settings_of
from contract_tests.run import Run
from contract_tests.target import Caller
from contract_tests.verdicts import Require

pytestmark = pytest.mark.rank(2)

_NEVER_ISSUED = "rvya_sk_never_issued_to_any_account"
_BY_ROLE = {
    "revoked": "api_key_revoked",
    "expired": "api_key_expired",
    "without_scopes": "api_scope_denied",
}


@dataclass(frozen=True)
class Belongings:
    """The ids of a generation, a file and an endpoint that exist."""

    task_id: str
    file_id: str
    endpoint_id: str

    def paths(self) -> Iterator[str]:
        """Every path that returns what the account owns."""
        endpoint = f"/webhooks/{self.endpoint_id}"
        yield from (f"/generations/{self.task_id}", f"/files/{self.file_id}", endpoint)
        yield from (f"{endpoint}/deliveries", "/webhooks", "/webhook-events", "/credits")

    def writes(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Valid requests that change something: method, path, and arguments of the caller."""
        path = f"/webhooks/{self.endpoint_id}"
        other = {"name": "taken", "url": PUBLIC_URL, "event_types": BOTH}
        yield "PATCH", path, {"json": {"name": "taken", "status": "disabled"}}
        yield "POST", f"{path}/rotate-secret", {}
        yield "POST", f"{path}/test", {}
        yield "DELETE", path, {}
        yield "POST", "/webhooks", {"json": other}
        yield "POST", "/generations", {"json": request_body()}

    def foreign_writes(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Those of `writes` that name the endpoint."""
        return (write for write in self.writes() if self.endpoint_id in write[1])

    def seen_by(self, caller: Caller) -> dict[str, Any]:
        """What the account sees of them, without what changes by itself."""
        listed = caller.get("/webhooks").json["data"]
        one = caller.get(f"/webhooks/{self.endpoint_id}").json
        return {
            "endpoint": settings_of(one),
            "endpoints": [entry["id"] for entry in listed],
            "file": known(caller.get(f"/files/{self.file_id}").json, "PublicApiFile"),
            "generation": {
                name: value
                for name, value in read(caller, self.task_id).json.items()
                if name in {"id", "model", "reserved_credits", "created_at"}
            },
        }


@pytest.fixture
def belongings(rivya: Caller) -> Iterator[Belongings]:
    """A generation, a file and an endpoint of the account, which is deleted afterwards."""
    with endpoint(rivya) as created:
        task_id, file_id = create(rivya).json["id"], upload(rivya).json["id"]
        yield Belongings(task_id, file_id, created.json["id"])


def _title(path: str) -> str:
    """The schema of the answer at one of the paths of Belongings."""
    if path.endswith("/deliveries"):
        return "WebhookDeliveryList"
    titles = {
        "generations": "Generation", "files": "PublicApiFile", "credits": "Credits",
        "webhook-events": "WebhookEventList",
    }  # fmt: skip
    kind, _, rest = path.strip("/").partition("/")
    return titles.get(kind, "WebhookEndpoint" if rest else "WebhookEndpointList")


def _without_power(caller: Caller) -> Iterator[tuple[Caller, str]]:
    """Callers whose key does not open anything, each with the code of the refusal."""
    target = caller.target
    yield target.caller("rivya", None), "api_key_missing"
    yield target.caller("rivya", key=_NEVER_ISSUED), "api_key_invalid"
    yield target.caller("rivya", key=f"{caller.key}x"), "api_key_invalid"
    if target.is_fake:  # a part of a real key would be shown in the report
        yield target.caller("rivya", key=str(caller.key)[:-1]), "api_key_invalid"
        yield target.caller("rivya", key=str(caller.key).upper()), "api_key_invalid"
    for role, code in _BY_ROLE.items():
        if role in target.keys["rivya"]:
            yield target.caller("rivya", role), code


@pytest.mark.full
@pytest.mark.price(CHEAP)
@pytest.mark.holds(
    RULE + "every-operation-needs-a-key", RULE + "refused-creates-nothing",
    "rivya.error.api_key_missing", "rivya.error.api_key_invalid",
)  # fmt: skip
def test_a_bad_key_opens_and_changes_nothing_that_exists(
    rivya: Caller, belongings: Belongings, require: Require
) -> None:
    before = belongings.seen_by(rivya), credits_of(rivya, require)
    for caller, code in _without_power(rivya):
        for path in belongings.paths():
            answer = caller.get(path)
            rule = RULE + "every-operation-needs-a-key"
            require_refusal(require, "rivya", answer, code, rule)
        for method, path, how in belongings.writes():
            answer = caller.request(method, path, **how)
            rule = RULE + "every-operation-needs-a-key"
            require_refusal(require, "rivya", answer, code, rule)
        now = belongings.seen_by(rivya), credits_of(rivya, require)
        require_equal(require, "refused-creates-nothing", now, before, rivya.target.transport.last)


@pytest.mark.full
@pytest.mark.price(CHEAP)
@pytest.mark.needs("second")
@pytest.mark.holds(
    RULE + "belongs-to-the-account", RULE + "foreign-as-unknown",
    RULE + "foreign-file-as-unknown", RULE + "foreign-endpoint-as-unknown",
    "rivya.error.not_found",
)  # fmt: skip
def test_another_account_neither_sees_nor_changes_what_exists(
    rivya: Caller, belongings: Belongings, require: Require
) -> None:
    before = belongings.seen_by(rivya)
    _require_hidden(rivya, belongings, require)
    if rivya.target.clock.is_controlled:
        rivya.target.clock.advance(3600)  # the generation has ended
        read(rivya, belongings.task_id)
        _require_hidden(rivya, belongings, require)
    now = belongings.seen_by(rivya)
    require_equal(require, "belongs-to-the-account", now, before, rivya.target.transport.last)


def _require_hidden(caller: Caller, belongings: Belongings, require: Require) -> None:
    """Require that the second account is refused, and that its lists show nothing of it."""
    other = caller.target.caller("rivya", "second")
    hook = f"/webhooks/{belongings.endpoint_id}"
    reads = [f"/generations/{belongings.task_id}", f"/files/{belongings.file_id}"]
    requests: list[tuple[str, str, dict[str, Any]]]
    requests = [("GET", path, {}) for path in (*reads, hook, f"{hook}/deliveries")]
    for method, path, how in (*requests, *belongings.foreign_writes()):
        answer = other.request(method, path, **how)
        kind = path.split("/")[1]
        if kind != "generations":  # for the others only the code of the refusal is assumed
            refused = answer.status >= 400
            require_equal(require, "belongs-to-the-account", refused, True, answer)
        named = {"generations": "foreign-as-unknown", "files": "foreign-file-as-unknown"}
        rule = RULE + named.get(kind, "foreign-endpoint-as-unknown")
        require_refusal(require, "rivya", answer, "not_found", rule)
    for path in ("/webhooks", "/webhook-events"):
        listed = other.get(path)
        ids = (belongings.task_id, belongings.endpoint_id)
        shown = [each for each in ids if each in listed.body.decode()]
        require_equal(require, "belongs-to-the-account", shown, [], listed)


@pytest.mark.full
@pytest.mark.price(CHEAP)
@pytest.mark.needs("limited", "clock")
@pytest.mark.holds(RULE + "belongs-to-the-account")
def test_another_key_of_the_account_sees_the_same(
    rivya: Caller, belongings: Belongings, require: Require
) -> None:
    limited, clock = rivya.target.caller("rivya", "limited"), rivya.target.clock
    rule = "belongs-to-the-account"
    for path in belongings.paths():
        clock.advance(60)  # a new window for the limited key
        mine, theirs = rivya.get(path), limited.get(path)
        require_success(require, RULE + rule, theirs)
        seen = [known(each.json, _title(path)) for each in (theirs, mine)]
        require_equal(require, rule, seen[0], seen[1], theirs)


@pytest.mark.risk
@pytest.mark.full
@pytest.mark.price(CHEAP)
@pytest.mark.holds(RULE + "wrong-method", RULE + "no-undocumented-routes")
def test_a_wrong_method_changes_nothing_that_exists(
    rivya: Caller, belongings: Belongings, require: Require
) -> None:
    before = belongings.seen_by(rivya)
    task, file = f"/generations/{belongings.task_id}", f"/files/{belongings.file_id}"
    hook = f"/webhooks/{belongings.endpoint_id}"
    requests = [
        *((method, path) for path in (task, file) for method in ("DELETE", "PUT", "PATCH", "POST")),
        ("PUT", hook), ("POST", hook), ("DELETE", "/webhooks"), ("PUT", "/webhooks"),
        ("POST", f"{task}/cancel"), ("GET", f"{hook}/rotate-secret"), ("GET", f"{hook}/test"),
        ("PUT", "/credits"), ("POST", "/credits"), ("DELETE", "/generations"), ("GET", "/files"),
    ]  # fmt: skip
    answers: list[Exchange] = []
    for method, path in requests:
        body = None if method in {"GET", "DELETE"} else {"name": "x", "current_credits": 9}
        answer = rivya.request(method, path, json=body)
        answers.append(answer)
        require(
            RULE + "no-undocumented-routes", answer.status in {404, 405}, expected="404 or 405",
            got=answer.status, by=answer,
        )  # fmt: skip
    now = belongings.seen_by(rivya)
    require_equal(require, "wrong-method", now, before, answers[-1])


@pytest.mark.rank(0)
@pytest.mark.holds(RULE + "models-are-public")
def test_the_list_of_models_is_the_same_for_everybody(
    rivya: Caller, run: Run, require: Require
) -> None:
    shown = rivya.target.caller("rivya", None).get("/models").json
    for role in ("own", "second", "poor", "limited", "own"):
        if run.has_key("rivya", role):
            answer = rivya.target.caller("rivya", role).get("/models")
            same = known(answer.json, "ModelList"), known(shown, "ModelList")
            require_equal(require, "models-are-public", *same, answer)
