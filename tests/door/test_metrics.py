"""The metrics: their format as a parser of Prometheus reads it, and what they count."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from mock_server.apis import ALL
from tests import calls
from tests.asgi import Answer
from tests.live import live
from tests.mock import KEY, TOKEN, VIDEO, MakeMock, Mock

Samples = dict[str, dict[tuple[str, ...], float]]
INBOX = "/_mock/inbox/default/hook"


def samples_of(text: str) -> Samples:
    """The counters by family and by the values of their labels."""
    return {
        family.name.removeprefix("hailuo_mock_"): {
            tuple(sample.labels.values()): sample.value for sample in family.samples
        }
        for family in text_string_to_metric_families(text)
    }


def metrics(mock: Mock) -> Samples:
    answer = mock.request("GET", "/_mock/metrics")
    assert answer.status == 200
    return samples_of(answer.body.decode())


def test_a_new_server_has_every_family_with_a_type_and_a_sentence(mock: Mock) -> None:
    answer = mock.request("GET", "/_mock/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = list(text_string_to_metric_families(answer.body.decode()))
    assert [(family.name.removeprefix("hailuo_mock_"), family.type) for family in families] == [
        ("info", "gauge"),
        ("requests", "counter"),
        ("refusals", "counter"),
        ("attempts", "counter"),
        ("deliveries", "counter"),
        ("credits", "counter"),
        ("evictions", "counter"),
    ]
    assert all(family.documentation.endswith(".") for family in families)
    assert len({family.documentation for family in families}) == len(families)


def test_requests_are_counted_by_api_operation_and_status(mock: Mock) -> None:
    mock.create()
    mock.create(prompt=7)
    mock.create()
    mock.acedata("/videos", VIDEO, token="wrong")
    mock.request("GET", "/nowhere")
    mock.request("GET", "/_mock/worlds")
    assert metrics(mock)["requests"] == {
        ("rivya", "create", "200"): 2,
        ("rivya", "create", "400"): 1,
        ("acedata", "create", "401"): 1,
        ("none", "none", "404"): 1,
    }


def test_a_request_without_an_answer_is_counted(mock: Mock) -> None:
    calls.OpenRequest(mock, calls.create("rivya", "lost_answer", calls.HEADER))
    assert metrics(mock)["requests"] == {("rivya", "create", "none"): 1}


def test_refusals_are_counted_by_code_whether_a_rule_was_broken_or_a_fault_asked(
    make_mock: MakeMock,
) -> None:
    mock = make_mock(accounts=[_account(credits=60)])
    mock.create()
    mock.create()
    calls.send(mock, calls.create("rivya", "insufficient_credits", calls.HEADER))
    mock.create(model="hailuo-max")
    assert metrics(mock)["refusals"] == {
        ("rivya", "insufficient_credits"): 2,
        ("rivya", "validation_failed"): 1,
    }


def test_what_would_have_been_answered_without_a_fault_is_no_refusal(mock: Mock) -> None:
    wrong = calls.create("rivya", "rate_limited", calls.HEADER, prompt=7)
    assert calls.send(mock, wrong).status == 429
    assert metrics(mock)["refusals"] == {("rivya", "rate_limited"): 1}


@pytest.mark.parametrize(("failure_rate", "end"), [(0, "spent"), (1, "released")])
def test_credits_are_counted_as_they_move(
    make_mock: MakeMock, failure_rate: float, end: str
) -> None:
    mock = make_mock(tasks__failure_rate=failure_rate)
    mock.create()
    assert metrics(mock)["credits"] == {("rivya", "reserved"): 57}
    mock.create()
    mock.advance(1)
    assert metrics(mock)["credits"] == {("rivya", "reserved"): 114, ("rivya", end): 114}


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["create", "fail", "succeed", "advance"]), max_size=12))
def test_what_was_reserved_is_spent_released_or_still_reserved(steps: list[str]) -> None:
    mock = Mock()
    try:
        task_id = ""
        for step in steps:
            if step == "create":
                task_id = mock.create().json()["id"]
            elif step == "advance":
                mock.advance(0.6)
            else:
                state = "failed" if step == "fail" else "succeeded"
                path = f"/_mock/worlds/default/tasks/{task_id or 'none'}/finish"
                headers = {"content-type": "application/json"}
                mock.request(
                    "POST", path, headers=headers, body=b'{"state": "%s"}' % state.encode()
                )
        counted = metrics(mock)["credits"]
        balance = mock.world.ledger.balance("rivya-test")
    finally:
        mock.close()
    assert counted.get(("rivya", "spent"), 0) == balance.spent_credits
    ended = balance.spent_credits + counted.get(("rivya", "released"), 0)
    assert counted.get(("rivya", "reserved"), 0) == ended + balance.reserved_credits


def test_attempts_and_deliveries_are_counted_by_outcome() -> None:
    with live(acedata__callback_waits_s=[60]) as mock:
        program = {"answers": [{"status": 500}, {"status": 200}, {"cut": True, "times": 2}]}
        httpx2.put(f"{mock.url}/_mock/worlds/default/inbox/hook", json=program)
        body = VIDEO | {"callback_url": mock.url + INBOX}
        for _ in range(2):
            httpx2.post(
                f"{mock.url}/hailuo/videos",
                json=body,
                headers={"authorization": f"Bearer {TOKEN}"},
            )
            mock.advance(90)
        counted = samples_of(httpx2.get(f"{mock.url}/_mock/metrics").text)
    assert counted["attempts"] == {
        ("acedata", "refused"): 1,
        ("acedata", "accepted"): 1,
        ("acedata", "unanswered"): 2,
    }
    assert counted["deliveries"] == {("acedata", "succeeded"): 1, ("acedata", "failed"): 1}


def test_evictions_are_counted_by_kind() -> None:
    with live(
        limits__journal_exchanges=3, deliveries__kept=1, limits__inbox_bytes=3 * 1024
    ) as mock:
        body = VIDEO | {"callback_url": mock.url + INBOX}
        for _ in range(5):
            headers = {"authorization": f"Bearer {TOKEN}"}
            httpx2.post(f"{mock.url}/hailuo/videos", json=body, headers=headers)
        mock.advance(1)
        counted = samples_of(httpx2.get(f"{mock.url}/_mock/metrics").text)["evictions"]
        inbox = httpx2.get(f"{mock.url}/_mock/worlds/default/inbox/hook").json()
    assert inbox["evicted"] > 0
    assert counted == {
        ("exchange",): 2,
        ("delivery",): 4,
        ("inbox_request",): inbox["evicted"],
    }


def test_no_counter_goes_back_when_a_world_is_reset_restored_or_dropped(mock: Mock) -> None:
    def door(method: str, path: str, body: bytes = b"") -> Answer:
        headers = {"content-type": "application/json"} if body else {}
        answer = mock.request(method, f"/_mock/worlds{path}", headers=headers, body=body)
        assert answer.status < 300
        return answer

    def counts_after_a_create() -> dict[Any, float]:
        asked = calls.create("rivya", headers={"authorization": f"Bearer {KEY}-other"})
        assert calls.send(mock, asked).status == 200
        families = metrics(mock).items()
        return {
            (family, *labels): count for family, own in families for labels, count in own.items()
        }

    door("POST", "", b'{"name": "other"}')
    snapshot = door("GET", "/other/snapshot").body
    counted = [counts_after_a_create()]
    for change in (
        lambda: door("POST", "/other/reset"),
        lambda: door("PUT", "/other/snapshot", snapshot),
        lambda: (door("DELETE", "/other"), door("POST", "", b'{"name": "other"}')),
    ):
        change()
        counted.append(counts_after_a_create())
    assert [each["requests", "rivya", "create", "200"] for each in counted] == [1, 2, 3, 4]
    assert [each["credits", "rivya", "reserved"] for each in counted] == [57, 114, 171, 228]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["GET", "POST", "PURGE", "DELETE"]),
            st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
            st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
        ),
        max_size=30,
    )
)
def test_no_text_of_a_client_becomes_a_label(requests: list[tuple[str, str, str]]) -> None:
    mock = Mock()
    try:
        for method, step, key in requests:
            for start in ("/api/v1/generations/", "/hailuo/", "/w/"):
                path = start + step.replace("?", "").replace("#", "").replace("%", "")
                headers = {"authorization": f"Bearer {key}", "mock-scenario": step}
                mock.request(method, path, headers=headers)
        apis = {api.name for api in ALL} | {"none"}
        operations = {row.operation for api in ALL for row in api.routes} | {"media", "none"}
        codes = {code for api in ALL for code in mock.fake.contract.error_statuses(api.name)}
        counted = metrics(mock)
    finally:
        mock.close()
    for api, operation, status in counted["requests"]:
        assert api in apis
        assert operation in operations
        assert re.fullmatch(r"[1-5]\d\d|none", status)
    for api, code in counted["refusals"]:
        assert api in apis
        assert code in codes


def test_metrics_need_no_control_token(make_mock: MakeMock) -> None:
    mock = make_mock(control_token="secret")
    assert mock.request("GET", "/_mock/worlds").status == 401
    assert metrics(mock)["requests"] == {}


def _account(credits: int) -> dict[str, Any]:
    return {
        "name": "poor",
        "credits": credits,
        "keys": [{"key": "rvya_sk_test", "api": "rivya"}],
    }
