"""Every error code of AceData can be met over HTTP, in one envelope, with the table's status."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from mock_server.apis.acedata.callbacks import Callbacks
from mock_server.core.tasks import Task
from mock_server.simulation.timekeeper import Timekeeper
from tests.apis.acedata.conftest import (
    ASYNC,
    STATUS_OF,
    Caller,
    NotedOutbox,
    account,
    keep_time_with,
    let_due_things_happen,
    refusal,
    retrieve,
    submit,
    traces,
)
from tests.asgi import Answer
from tests.mock import KEY, TOKEN, VIDEO, Mock

MakeMock = Callable[..., Mock]

KEYS = [
    account(
        "somebody",
        good={},
        revoked={"revoked": True},
        disabled={"disabled": True},
        expired={"expires_at": "2026-05-10T00:00:00Z"},
    ),
    {
        "name": "elsewhere",
        "credits": 0,
        "keys": [
            {"key": "rvya_sk_test", "api": "rivya"},
            {"key": "other-token", "api": "other"},
        ],
    },
]


class BrokenTimekeeper(Timekeeper):
    """A timekeeper with a bug in it."""

    def end_of(self, task: Task, request_id: str, *, limit_ms: int) -> asyncio.Future[None]:
        raise ZeroDivisionError


def ask(token: str | None, **settings: Any) -> Callable[[MakeMock], Answer]:
    def with_token(make_mock: MakeMock) -> Answer:
        return make_mock(accounts=KEYS, **settings).acedata("/videos", ASYNC, token=token)

    return with_token


def with_wrong_model(make_mock: MakeMock) -> Answer:
    return make_mock().acedata("/videos", ASYNC | {"model": "T2V-01-Director"})


def without_credits(make_mock: MakeMock) -> Answer:
    return make_mock(accounts=[account("a", credits=0, good={})]).acedata(
        "/videos", ASYNC, token="good"
    )


def with_forbidden_word(make_mock: MakeMock) -> Answer:
    return make_mock(acedata__moderated_words=["heat"]).acedata("/videos", ASYNC)


def at_no_path(make_mock: MakeMock) -> Answer:
    return make_mock().acedata("/images", ASYNC)


def of_unknown_task(make_mock: MakeMock) -> Answer:
    return make_mock().acedata("/tasks", {"id": "nobody"})


def with_wrong_method(make_mock: MakeMock) -> Answer:
    return make_mock().request("GET", "/hailuo/videos")


def too_often(make_mock: MakeMock) -> Answer:
    mock = make_mock(acedata__rate_limit=1)
    mock.acedata("/videos", ASYNC)
    return mock.acedata("/videos", ASYNC)


def held_until_it_fails(make_mock: MakeMock) -> Answer:
    mock = make_mock(tasks__failure_rate=1)
    caller = Caller(mock, VIDEO)
    mock.advance(1)
    let_due_things_happen(mock)
    return caller.answer()


def held_too_long(make_mock: MakeMock) -> Answer:
    mock = make_mock(acedata__hold_limit_s=0.5)
    caller = Caller(mock, VIDEO)
    mock.advance(0.5)
    let_due_things_happen(mock)
    return caller.answer()


WAYS: dict[str, Callable[[MakeMock], Answer]] = {
    "bad_request": with_wrong_model,
    "token_mismatched": ask("other-token"),
    "api_not_implemented": ask("good", acedata__implemented=False),
    "no_token": ask(None),
    "disabled": ask("disabled"),
    "invalid_token": ask("nobody"),
    "token_expired": ask("expired"),
    "used_up": without_credits,
    "forbidden": with_forbidden_word,
    "no_api": at_no_path,
    "task_not_found": of_unknown_task,
    "method_not_allowed": with_wrong_method,
    "too_many_requests": too_often,
    "api_error": held_until_it_fails,
    "timeout": held_too_long,
}


def test_there_is_a_way_to_every_code_of_the_table() -> None:
    assert set(WAYS) == set(STATUS_OF)


@pytest.mark.parametrize("code", WAYS)
def test_a_code_comes_with_the_status_of_the_table_in_the_envelope(
    make_mock: MakeMock, code: str
) -> None:
    assert refusal(WAYS[code](make_mock), code)


def test_every_refusal_has_a_trace_of_its_own(mock: Mock) -> None:
    seen = {mock.acedata("/tasks", {"id": "x"}).json()["trace_id"] for _ in range(20)}
    assert len(seen) == 20


def test_a_fault_of_the_server_itself_is_an_api_error(make_mock: MakeMock) -> None:
    mock = make_mock()
    outbox = NotedOutbox(Callbacks(mock.fake.settings.acedata))
    keep_time_with(mock, BrokenTimekeeper(mock.world, outbox))
    message = refusal(mock.acedata("/videos", VIDEO), "api_error")
    assert "ZeroDivision" not in message


# --- tokens ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/videos", "/tasks"])
@pytest.mark.parametrize(
    ("token", "code"),
    [
        (None, "no_token"),
        ("nobody", "invalid_token"),
        ("GOOD", "invalid_token"),
        ("revoked", "invalid_token"),
        ("rvya_sk_test", "token_mismatched"),
        ("other-token", "token_mismatched"),
        ("disabled", "disabled"),
        ("expired", "token_expired"),
    ],
)
def test_a_token_that_is_not_right_is_refused_by_its_own_code(
    make_mock: MakeMock, path: str, token: str | None, code: str
) -> None:
    refusal(make_mock(accounts=KEYS).acedata(path, {"id": "x"}, token=token), code)


def test_the_built_in_key_of_the_other_api_is_mismatched(mock: Mock) -> None:
    refusal(mock.acedata("/videos", ASYNC, token=KEY), "token_mismatched")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", f"bearer {TOKEN}", f"Basic {TOKEN}", TOKEN, f"Bearer\t{TOKEN}"],
)
def test_a_header_without_a_bearer_token_is_no_token(mock: Mock, header: str) -> None:
    refusal(mock.acedata("/videos", ASYNC, headers={"authorization": header}), "no_token")


@pytest.mark.parametrize("header", [f"Bearer  {TOKEN}", f"Bearer {TOKEN} ", f"Bearer {TOKEN}x"])
def test_a_token_is_exactly_what_stands_after_one_space(mock: Mock, header: str) -> None:
    answer = mock.acedata("/videos", ASYNC, headers={"authorization": header})
    assert answer.json()["error"]["code"] in {"no_token", "invalid_token"}


def test_a_token_works_until_its_end_and_not_at_its_end(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[account("a", soon={"expires_at": "2026-05-11T00:01:00Z"})])
    mock.advance(59.999)
    task_id = submit(mock, token="soon")
    mock.advance(0.001)
    refusal(mock.acedata("/tasks", {"id": task_id}, token="soon"), "token_expired")


@pytest.mark.parametrize("token", [None, "expired", "good"])
def test_only_a_401_names_the_scheme_that_would_be_right(
    make_mock: MakeMock, token: str | None
) -> None:
    answer = make_mock(accounts=KEYS).acedata("/videos", ASYNC, token=token)
    assert ("www-authenticate" in answer.headers) == (answer.status == 401)


def test_scopes_are_no_matter_here(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[account("a", good={"scopes": []})])
    assert submit(mock, token="good")


# --- paths and methods -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/hailuo", "/hailuo/", "/hailuo/video", "/hailuo/videos/", "/hailuo/tasks/x", "/hailuo/Tasks"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "FOO"])
def test_an_unknown_path_is_no_api(mock: Mock, method: str, path: str) -> None:
    refusal(mock.request(method, path), "no_api")


def test_two_slashes_at_the_start_are_no_api_and_the_reason_is_told(mock: Mock) -> None:
    assert "slash" in refusal(mock.request("POST", "//hailuo/videos"), "no_api")


@pytest.mark.parametrize("path", ["/hailuo/videos", "/hailuo/tasks"])
@pytest.mark.parametrize(
    "method",
    ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "FOO"],
)
def test_a_wrong_method_is_refused_and_the_right_one_is_named(
    mock: Mock, method: str, path: str
) -> None:
    answer = mock.request(method, path)
    refusal(answer, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/videos", "/tasks"])
def test_a_path_without_implementation_says_so_before_anything_else(
    make_mock: MakeMock, path: str
) -> None:
    mock = make_mock(acedata__implemented=False)
    refusal(mock.acedata(path, b"{", token=None), "api_not_implemented")


# --- the order of checks -----------------------------------------------------------------------


@dataclass
class Wrong:
    """One thing that is wrong with a request for a video, and the code it brings."""

    code: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    token: str | None = "good"
    body: Any = None
    prompt: str = "Internal heat"
    credits: int = 2


WRONGS = {
    "switch": Wrong("api_not_implemented", settings={"acedata__implemented": False}),
    "no token": Wrong("no_token", token=None),
    "unknown token": Wrong("invalid_token", token="nobody"),
    "expired token": Wrong("token_expired", token="expired"),
    "disabled token": Wrong("disabled", token="disabled"),
    "json": Wrong("bad_request", body=b"{"),
    "fields": Wrong("bad_request", body={"prompt": "Internal cold"}),
    "rate": Wrong("too_many_requests", settings={"acedata__rate_limit": 1}),
    "moderation": Wrong("forbidden", prompt="Internal cold"),
    "credits": Wrong("used_up", credits=1),
}


def _pairs() -> list[tuple[str, str]]:
    """Every two things that can be wrong at once, the one that is looked at first first."""
    names = list(WRONGS)
    tokens = {name for name in names if name.endswith("token")}
    return [
        (earlier, later)
        for index, earlier in enumerate(names)
        for later in names[index + 1 :]
        # One request has one token and one body.
        if not {earlier, later} <= tokens and {earlier, later} != {"json", "fields"}
    ]


def _send_all_wrong(make_mock: MakeMock, earlier: Wrong, later: Wrong) -> Answer:
    """A request with both faults, on a fake where the good token has made one video before."""
    settings = {**earlier.settings, **later.settings}
    mock = make_mock(
        accounts=[KEYS[0] | {"credits": min(earlier.credits, later.credits)}, KEYS[1]],
        acedata__moderated_words=["COLD"],
        **settings,
    )
    mock.acedata("/videos", ASYNC, token="good")
    prompt = earlier.prompt if earlier.prompt != "Internal heat" else later.prompt
    body = earlier.body or later.body or ASYNC | {"prompt": prompt}
    token = earlier.token if earlier.token != "good" else later.token
    return mock.acedata("/videos", body, token=token)


@pytest.mark.parametrize(("earlier", "later"), _pairs())
def test_of_two_faults_the_earlier_step_is_told(
    make_mock: MakeMock, earlier: str, later: str
) -> None:
    answer = _send_all_wrong(make_mock, WRONGS[earlier], WRONGS[later])
    refusal(answer, WRONGS[earlier].code)


@pytest.mark.parametrize("fault", WRONGS)
def test_each_fault_alone_brings_its_code(make_mock: MakeMock, fault: str) -> None:
    refusal(_send_all_wrong(make_mock, WRONGS[fault], Wrong("")), WRONGS[fault].code)


def test_without_a_fault_the_same_request_is_accepted(make_mock: MakeMock) -> None:
    assert _send_all_wrong(make_mock, Wrong(""), Wrong("")).status == 200


def test_the_limit_is_counted_when_the_body_is_right(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__rate_limit=1)
    refusal(mock.acedata("/videos", b"{"), "bad_request")
    refusal(mock.acedata("/videos", {"prompt": "a"}), "bad_request")
    assert mock.acedata("/videos", ASYNC).status == 200


# --- moderation --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "status"),
    [("Internal heat", 403), ("INTERNAL HEAT", 403), ("preheated", 403), ("Internal cold", 200)],
)
def test_a_prompt_with_a_moderated_word_is_forbidden(
    make_mock: MakeMock, prompt: str, status: int
) -> None:
    mock = make_mock(acedata__moderated_words=["Heat", "storm"])
    assert mock.acedata("/videos", ASYNC | {"prompt": prompt}).status == status


def test_a_forbidden_prompt_makes_no_task_and_costs_nothing(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__moderated_words=["heat"])
    before = traces(mock)
    refusal(mock.acedata("/videos", ASYNC), "forbidden")
    assert traces(mock) == before


def test_without_a_prompt_there_is_nothing_to_forbid(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__moderated_words=["first"])
    body = {
        "action": "generate",
        "async": True,
        "model": "minimax-i2v",
        "first_image_url": "https://cdn.example.com/first.png",
    }
    assert mock.acedata("/videos", body).status == 200


def test_by_default_nothing_is_forbidden(mock: Mock) -> None:
    assert submit(mock, prompt="anything at all")


# --- the rate limit ----------------------------------------------------------------------------


def test_by_default_there_is_no_limit(mock: Mock) -> None:
    task_id = submit(mock)
    for _ in range(200):
        retrieve(mock, task_id)


def test_both_routes_count_together(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__rate_limit=2)
    task_id = submit(mock)
    retrieve(mock, task_id)
    refusal(mock.acedata("/tasks", {"id": task_id}), "too_many_requests")


@pytest.mark.parametrize(("after_s", "status"), [(59.999, 429), (60, 200)])
def test_the_next_window_opens_a_minute_after_the_first_request(
    make_mock: MakeMock, after_s: float, status: int
) -> None:
    mock = make_mock(acedata__rate_limit=1)
    submit(mock)
    mock.advance(after_s)
    assert mock.acedata("/videos", ASYNC).status == status


def test_the_length_of_the_window_is_a_setting(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__rate_limit=1, acedata__rate_window_s=1)
    submit(mock)
    mock.advance(1)
    assert submit(mock)


@pytest.mark.parametrize(("sends", "header"), [(True, "60"), (False, None)])
def test_retry_after_says_when_the_next_window_is_open_unless_switched_off(
    make_mock: MakeMock, sends: bool, header: str | None
) -> None:
    mock = make_mock(acedata__rate_limit=1, acedata__retry_after=sends)
    submit(mock)
    answer = mock.acedata("/videos", ASYNC)
    refusal(answer, "too_many_requests")
    assert answer.headers.get("retry-after") == header


def test_retry_after_counts_the_seconds_of_the_caller(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__rate_limit=1, time_scale=60, clock__mode="real")
    submit(mock)
    answer = mock.acedata("/videos", ASYNC)
    refusal(answer, "too_many_requests")
    assert answer.headers["retry-after"] == "1"


def test_a_token_may_have_a_limit_of_its_own(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[account("a", slow={"rate_limit": 1}, fast={})])
    submit(mock, token="slow")
    refusal(mock.acedata("/videos", ASYNC, token="slow"), "too_many_requests")
    assert submit(mock, token="fast")


def test_a_refused_request_does_not_count(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__rate_limit=1)
    submit(mock)
    for _ in range(3):
        mock.acedata("/videos", ASYNC)
    mock.advance(60)
    assert submit(mock)


def test_a_request_over_the_limit_makes_no_task(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__rate_limit=1)
    submit(mock)
    before = traces(mock)
    refusal(mock.acedata("/videos", ASYNC), "too_many_requests")
    assert traces(mock) == before
