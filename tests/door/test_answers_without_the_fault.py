"""The answer that a request would have had without a fault, and that finding it changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests import calls
from tests.door.explaining import BEARER, CREATE, ERROR_AFTER, ERROR_BEFORE, JSON, explain
from tests.mock import PNG, TOKEN, VIDEO, MakeMock, Mock, form
from tests.rivya import account

# --- what it would have been -----------------------------------------------------------------

HELD: dict[str, Any] = {"async": False}
USED = {"idempotency-key": "used"}


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


WITHOUT = [
    (calls.create("rivya"), "accepted", "200"),
    (calls.create("rivya", prompt=5), "400 validation_failed", "400 validation_failed"),
    (calls.Request("POST", CREATE, BEARER | JSON, b"{"), *["400 validation_failed"] * 2),
    (calls.Request("POST", CREATE, JSON, b"{}"), *["401 api_key_missing"] * 2),
    (calls.create("rivya", headers=bearer("rvya_sk_x")), *["401 api_key_invalid"] * 2),
    (calls.create("rivya", headers=bearer(TOKEN)), *["401 api_key_invalid"] * 2),
    (calls.create("rivya", headers=bearer("rvya_sk_poor")), *["402 insufficient_credits"] * 2),
    (calls.create("rivya", headers=bearer("rvya_sk_blind")), *["403 api_scope_denied"] * 2),
    (calls.create("rivya", headers=bearer("rvya_sk_busy")), *["429 rate_limited"] * 2),
    (calls.create("rivya", headers=USED), "200", "200"),
    (calls.create("rivya", headers=USED, prompt="b"), *["409 idempotency_conflict"] * 2),
    (calls.read("rivya", calls.UNKNOWN_TASKS["rivya"]), *["404 not_found"] * 2),
    (calls.Request("PUT", CREATE, BEARER), *["405 method_not_allowed"] * 2),
    (calls.get("/api/v1/credits"), "200", "200"),
    (calls.get("/api/v1/models"), "200", "200"),
    (calls.get("/media/default/none.mp4"), "404", "404"),
    (calls.create("acedata"), "accepted", "200"),
    (calls.create("acedata", action="no"), "400 bad_request", "400 bad_request"),
    (calls.create("acedata", headers={"authorization": "Bearer x"}), *["401 invalid_token"] * 2),
    (calls.create("acedata", headers={"authorization": "Bearer poor"}), *["403 used_up"] * 2),
    (calls.create("acedata", prompt="nude"), *["403 forbidden"] * 2),
    (calls.read("acedata", calls.UNKNOWN_TASKS["acedata"]), *["404 task_not_found"] * 2),
]  # fmt: skip


def settled(make_mock: MakeMock) -> Mock:
    """A mock with accounts of all kinds, and a key without remaining requests."""
    poor = {"name": "poor", "credits": 0, "keys": [{"key": "poor", "api": "acedata"}]}
    mock = make_mock(
        acedata__moderated_words=["nude"],
        accounts=[
            account("rivya-test", credits=10**6, test={}, busy={"rate_limit": 1}),
            account("empty", credits=0, poor={}, blind={"scopes": ["credits:read"]}),
            {"name": "acedata-test", "credits": 10**6, "keys": [{"key": TOKEN, "api": "acedata"}]},
            poor,
        ],
    )
    assert (
        calls.send(mock, calls.create("rivya", headers={"idempotency-key": "used"})).status == 200
    )
    assert mock.rivya("GET", "/credits", key="rvya_sk_busy").status == 200
    return mock


@pytest.mark.parametrize(("asked", "before", "after"), WITHOUT)
def test_the_answer_without_the_fault_is_explained(
    make_mock: MakeMock, asked: calls.Request, before: str, after: str
) -> None:
    mock = settled(make_mock)
    for effect, expected in ((ERROR_BEFORE, before), (ERROR_AFTER, after)):
        calls.add_faults(mock, effect=effect, times=1)
        answer = calls.send(mock, asked)
        assert answer.status == 599
        assert explain(mock, answer)["without"] == expected
    sound = calls.send(mock, asked)
    assert str(sound.status) == after.split(maxsplit=1)[0]


def test_a_held_open_create_would_have_been_accepted(mock: Mock) -> None:
    calls.add_faults(mock, effect=ERROR_BEFORE)
    assert explain(mock, mock.acedata("/videos", VIDEO))["without"] == "accepted"


def test_a_repeat_while_the_first_request_hangs_would_have_been_a_conflict(mock: Mock) -> None:
    asked = calls.create("rivya", headers={"idempotency-key": "k"})
    calls.add_faults(mock, scenario="lost_answer_hang", times=1)
    first = calls.OpenRequest(mock, asked)
    calls.add_faults(mock, effect=ERROR_BEFORE, times=1)
    assert explain(mock, calls.send(mock, asked))["without"] == "409 idempotency_conflict"
    assert calls.send(mock, asked).status == 409
    first.hang_up()
    assert calls.send(mock, asked).status == 200


def test_a_switched_off_api_is_explained(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__api_enabled=False)
    calls.add_faults(mock, effect=ERROR_BEFORE)
    assert explain(mock, mock.create())["without"] == "503 public_api_disabled"


# --- asking the rules changes nothing --------------------------------------------------------


def state(mock: Mock) -> dict[str, Any]:
    """The state of a world without its journal, history and faults."""
    shown: dict[str, Any] = mock.request("GET", "/_mock/worlds/default/snapshot").json()
    left_out = {"journal", "history", "faults", "asked_faults"}
    return {name: shown[name] for name in shown.keys() - left_out}


def every_change(mock: Mock) -> list[calls.Request]:
    """A request of each kind that would change something, and some that would not."""
    hook = {"url": "https://example.com/hook", "event_types": ["generation.failed"]}
    (endpoint,) = mock.world.endpoints
    one = f"/api/v1/webhooks/{endpoint.id}"
    form_type = {"content-type": "multipart/form-data; boundary=frontier"}
    upload = form({"kind": "image"}, {"file": ("a.png", PNG)})
    return [
        *(calls.create(api) for api in calls.APIS),
        *(calls.create(api, "stuck", calls.IN_KEY) for api in calls.APIS),
        calls.create("acedata", **HELD),
        calls.create("rivya", headers={"idempotency-key": "new"}),
        calls.create("rivya", headers={"idempotency-key": "used"}),
        calls.create("rivya", headers={"authorization": "Bearer rvya_sk_busy"}),
        *(calls.read(api, calls.UNKNOWN_TASKS[api]) for api in calls.APIS),
        calls.get("/api/v1/credits"),
        calls.get("/api/v1/webhooks"),
        calls.Request("POST", "/api/v1/webhooks", BEARER | JSON, json.dumps(hook).encode()),
        calls.Request("PATCH", one, BEARER | JSON, b'{"status": "disabled"}'),
        calls.Request("POST", one + "/rotate-secret", BEARER | JSON, b"{}"),
        calls.Request("POST", one + "/test", BEARER | JSON, b"{}"),
        calls.Request("DELETE", one, BEARER),
        calls.Request("POST", "/api/v1/files", BEARER | form_type, upload),
    ]


CHANGES = 18
EFFECTS: dict[str, dict[str, Any]] = {
    "error": {"type": "error", "code": "internal_error"},
    "answer": ERROR_BEFORE,
    "reset": {"type": "connection", "how": "reset"},
    "hang": {"type": "connection", "how": "hang"},
}


@pytest.mark.parametrize("number", range(CHANGES))
@pytest.mark.parametrize("name", EFFECTS)
def test_a_fault_before_the_change_of_state_changes_nothing(
    make_mock: MakeMock, name: str, number: int
) -> None:
    mocks = []
    for wrong in (True, False):
        mock = settled(make_mock)
        hook = {"url": "https://example.com/hook", "event_types": ["generation.failed"]}
        assert mock.rivya("POST", "/webhooks", hook).status == 200
        assert len(every_change(mock)) == CHANGES
        asked = every_change(mock)[number]
        before = state(mock)
        if wrong:
            api = "acedata" if asked.path.startswith("/hailuo") else "rivya"
            effect = EFFECTS[name]
            if name == "error" and api == "acedata":
                effect = effect | {"code": "api_error"}
            calls.add_faults(mock, effect=effect, match={"api": api}, times=1)
            caller = calls.OpenRequest(mock, asked)
            caller.hang_up()
            assert not caller.is_open
            if name == "reset":
                with pytest.raises(ConnectionResetError):
                    caller.answer()
        else:
            mock.request("GET", "/api/v1/nothing")
        assert state(mock) == before
        mocks.append(mock)
    first, second = mocks
    for asked in (calls.create("rivya"), calls.create("acedata")):
        ids = [calls.task_id_of(calls.send(mock, asked).json()) for mock in mocks]
        assert ids[0] == ids[1]
    assert state(first) == state(second)
    assert first.world.journal.opened == second.world.journal.opened


def test_a_fault_before_the_change_of_state_counts_towards_no_limit(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[account("a", a={"rate_limit": 2})])
    calls.add_faults(mock, effect=ERROR_BEFORE, times=5)
    seen = [mock.rivya("GET", "/credits", key="rvya_sk_a").status for _ in range(8)]
    assert seen == [599] * 5 + [200, 200, 429]
