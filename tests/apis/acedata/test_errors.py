"""Every error code of AceData occurs over HTTP, in one envelope, with the status of the table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pytest

from mock_server.apis.acedata.callbacks import Callbacks
from mock_server.apis.acedata.settings import AceDataSettings
from mock_server.core.tasks import Task
from mock_server.simulation.timekeeper import Timekeeper
from tests import acedata
from tests.asgi import Answer
from tests.mock import KEY, KEYS_BY_STATE, TOKEN, VIDEO, MakeMock, Mock

KEYS = [
    acedata.account("somebody", **KEYS_BY_STATE),
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

    def until_end_of(self, task: Task, request_id: str, *, limit_ms: int) -> asyncio.Future[None]:
        raise ZeroDivisionError


def ask(token: str | None, **settings: Any) -> Callable[[MakeMock], Answer]:
    def with_token(make_mock: MakeMock) -> Answer:
        return make_mock(accounts=KEYS, **settings).acedata("/videos", acedata.ASYNC, token=token)

    return with_token


def with_wrong_model(make_mock: MakeMock) -> Answer:
    return make_mock().acedata("/videos", acedata.ASYNC | {"model": "T2V-01-Director"})


def without_credits(make_mock: MakeMock) -> Answer:
    return make_mock(accounts=[acedata.account("a", credits=0, good={})]).acedata(
        "/videos", acedata.ASYNC, token="good"
    )


def with_forbidden_word(make_mock: MakeMock) -> Answer:
    return make_mock(acedata__moderated_words=["heat"]).acedata("/videos", acedata.ASYNC)


def at_no_path(make_mock: MakeMock) -> Answer:
    return make_mock().acedata("/images", acedata.ASYNC)


def of_unknown_task(make_mock: MakeMock) -> Answer:
    return make_mock().acedata("/tasks", {"id": "nobody"})


def with_wrong_method(make_mock: MakeMock) -> Answer:
    return make_mock().request("GET", "/hailuo/videos")


def too_often(make_mock: MakeMock) -> Answer:
    mock = make_mock(acedata__rate_limit=1)
    mock.acedata("/videos", acedata.ASYNC)
    return mock.acedata("/videos", acedata.ASYNC)


def held(seconds: float, **settings: Any) -> Callable[[MakeMock], Answer]:
    def answer(make_mock: MakeMock) -> Answer:
        mock = make_mock(**settings)
        caller = acedata.hold(mock)
        mock.advance(seconds)
        acedata.bring_up_to_date(mock)
        return caller.answer()

    return answer


CASES: dict[str, Callable[[MakeMock], Answer]] = {
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
    "api_error": held(1, tasks__failure_rate=1),
    "timeout": held(0.5, acedata__hold_limit_s=0.5),
}


def test_every_code_of_the_table_has_a_case() -> None:
    assert set(CASES) == set(acedata.STATUS_OF)


@pytest.mark.parametrize("code", CASES)
def test_a_code_is_in_the_envelope_and_has_the_status_of_the_table(
    make_mock: MakeMock, code: str
) -> None:
    assert acedata.refusal(CASES[code](make_mock), code)


def test_every_refusal_has_a_trace_of_its_own(mock: Mock) -> None:
    seen = {mock.acedata("/tasks", {"id": "x"}).json()["trace_id"] for _ in range(20)}
    assert len(seen) == 20


def test_a_fault_of_the_server_itself_is_an_api_error(make_mock: MakeMock) -> None:
    mock = make_mock()
    outbox = acedata.RecordingOutbox(Callbacks(mock.fake.settings.of(AceDataSettings)))
    acedata.use_timekeeper(mock, BrokenTimekeeper(mock.world, outbox))
    message = acedata.refusal(mock.acedata("/videos", VIDEO), "api_error")
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
def test_each_kind_of_invalid_token_has_its_code(
    make_mock: MakeMock, path: str, token: str | None, code: str
) -> None:
    acedata.refusal(make_mock(accounts=KEYS).acedata(path, {"id": "x"}, token=token), code)


def test_a_key_of_the_other_api_is_mismatched(mock: Mock) -> None:
    acedata.refusal(mock.acedata("/videos", acedata.ASYNC, token=KEY), "token_mismatched")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", f"bearer {TOKEN}", f"Basic {TOKEN}", TOKEN, f"Bearer\t{TOKEN}"],
)
def test_a_header_without_a_bearer_token_is_no_token(mock: Mock, header: str) -> None:
    acedata.refusal(
        mock.acedata("/videos", acedata.ASYNC, headers={"authorization": header}), "no_token"
    )


@pytest.mark.parametrize("header", [f"Bearer  {TOKEN}", f"Bearer {TOKEN} ", f"Bearer {TOKEN}x"])
def test_a_token_is_exactly_what_stands_after_one_space(mock: Mock, header: str) -> None:
    answer = mock.acedata("/videos", acedata.ASYNC, headers={"authorization": header})
    assert answer.json()["error"]["code"] in {"no_token", "invalid_token"}


def test_a_token_works_until_its_end_and_not_at_its_end(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[acedata.account("a", soon={"expires_at": "2026-05-11T00:01:00Z"})])
    mock.advance(59.999)
    task_id = acedata.submit(mock, token="soon")
    mock.advance(0.001)
    acedata.refusal(mock.acedata("/tasks", {"id": task_id}, token="soon"), "token_expired")


@pytest.mark.parametrize("token", [None, "expired", "good"])
def test_only_a_401_names_the_scheme_that_would_be_right(
    make_mock: MakeMock, token: str | None
) -> None:
    answer = make_mock(accounts=KEYS).acedata("/videos", acedata.ASYNC, token=token)
    assert ("www-authenticate" in answer.headers) == (answer.status == 401)


def test_scopes_are_ignored(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[acedata.account("a", good={"scopes": []})])
    assert acedata.submit(mock, token="good")


# --- paths and methods -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/hailuo", "/hailuo/", "/hailuo/video", "/hailuo/videos/", "/hailuo/tasks/x", "/hailuo/Tasks"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "FOO"])
def test_an_unknown_path_is_no_api(mock: Mock, method: str, path: str) -> None:
    acedata.refusal(mock.request(method, path), "no_api")


def test_two_slashes_at_the_start_are_no_api_and_the_reason_is_told(mock: Mock) -> None:
    assert "slash" in acedata.refusal(mock.request("POST", "//hailuo/videos"), "no_api")


@pytest.mark.parametrize("path", ["/hailuo/videos", "/hailuo/tasks"])
@pytest.mark.parametrize(
    "method",
    ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "FOO"],
)
def test_a_wrong_method_is_refused_and_the_right_one_is_named(
    mock: Mock, method: str, path: str
) -> None:
    answer = mock.request(method, path)
    acedata.refusal(answer, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/videos", "/tasks"])
def test_an_api_without_implementation_is_refused_first(make_mock: MakeMock, path: str) -> None:
    mock = make_mock(acedata__implemented=False)
    acedata.refusal(mock.acedata(path, b"{", token=None), "api_not_implemented")


# --- the order of checks -----------------------------------------------------------------------


@dataclass
class Wrong:
    """One error of a request for a video, and its code."""

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
    """Every two errors that can occur together; the one that is checked first comes first."""
    tokens = {name for name in WRONGS if name.endswith("token")}
    return [
        (earlier, later)
        for earlier, later in combinations(WRONGS, 2)
        # One request has one token and one body.
        if not {earlier, later} <= tokens and {earlier, later} != {"json", "fields"}
    ]


def _send_all_wrong(make_mock: MakeMock, earlier: Wrong, later: Wrong) -> Answer:
    """The answer to a request with both errors. The good token has made one video before."""
    settings = {**earlier.settings, **later.settings}
    mock = make_mock(
        accounts=[KEYS[0] | {"credits": min(earlier.credits, later.credits)}, KEYS[1]],
        acedata__moderated_words=["COLD"],
        **settings,
    )
    mock.acedata("/videos", acedata.ASYNC, token="good")
    prompt = earlier.prompt if earlier.prompt != "Internal heat" else later.prompt
    body = earlier.body or later.body or acedata.ASYNC | {"prompt": prompt}
    token = earlier.token if earlier.token != "good" else later.token
    return mock.acedata("/videos", body, token=token)


@pytest.mark.parametrize(("earlier", "later"), _pairs())
def test_the_earlier_of_two_errors_counts(make_mock: MakeMock, earlier: str, later: str) -> None:
    answer = _send_all_wrong(make_mock, WRONGS[earlier], WRONGS[later])
    acedata.refusal(answer, WRONGS[earlier].code)


@pytest.mark.parametrize("name", WRONGS)
def test_each_error_alone_has_its_code(make_mock: MakeMock, name: str) -> None:
    acedata.refusal(_send_all_wrong(make_mock, WRONGS[name], Wrong("")), WRONGS[name].code)


def test_without_a_fault_the_same_request_is_accepted(make_mock: MakeMock) -> None:
    assert _send_all_wrong(make_mock, Wrong(""), Wrong("")).status == 200


def test_the_limit_is_counted_when_the_body_is_right(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__rate_limit=1)
    acedata.refusal(mock.acedata("/videos", b"{"), "bad_request")
    acedata.refusal(mock.acedata("/videos", {"prompt": "a"}), "bad_request")
    assert mock.acedata("/videos", acedata.ASYNC).status == 200


# --- moderation --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "status"),
    [("Internal heat", 403), ("INTERNAL HEAT", 403), ("preheated", 403), ("Internal cold", 200)],
)
def test_a_prompt_with_a_moderated_word_is_forbidden(
    make_mock: MakeMock, prompt: str, status: int
) -> None:
    mock = make_mock(acedata__moderated_words=["Heat", "storm"])
    assert mock.acedata("/videos", acedata.ASYNC | {"prompt": prompt}).status == status


def test_a_forbidden_prompt_makes_no_task_and_costs_nothing(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__moderated_words=["heat"])
    before = acedata.state(mock)
    acedata.refusal(mock.acedata("/videos", acedata.ASYNC), "forbidden")
    assert acedata.state(mock) == before


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
    assert acedata.submit(mock, prompt="anything at all")


# --- the rate limit ----------------------------------------------------------------------------


def test_by_default_there_is_no_limit(mock: Mock) -> None:
    task_id = acedata.submit(mock)
    for _ in range(200):
        acedata.retrieve(mock, task_id)


def test_both_routes_count_together(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__rate_limit=2)
    task_id = acedata.submit(mock)
    acedata.retrieve(mock, task_id)
    acedata.refusal(mock.acedata("/tasks", {"id": task_id}), "too_many_requests")


def test_the_next_window_opens_a_minute_after_the_first_request(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__rate_limit=1)
    acedata.submit(mock)
    for seconds, status in ((59.999, 429), (0.001, 200)):
        mock.advance(seconds)
        assert mock.acedata("/videos", acedata.ASYNC).status == status


def test_the_length_of_the_window_is_a_setting(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__rate_limit=1, acedata__rate_window_s=1)
    acedata.submit(mock)
    mock.advance(1)
    assert acedata.submit(mock)


@pytest.mark.parametrize(("sends", "header"), [(True, "60"), (False, None)])
def test_retry_after_says_when_the_next_window_is_open_unless_switched_off(
    make_mock: MakeMock, sends: bool, header: str | None
) -> None:
    mock = make_mock(acedata__rate_limit=1, acedata__retry_after=sends)
    acedata.submit(mock)
    answer = mock.acedata("/videos", acedata.ASYNC)
    acedata.refusal(answer, "too_many_requests")
    assert answer.headers.get("retry-after") == header


def test_retry_after_counts_the_seconds_of_the_caller(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__rate_limit=1, time_scale=60, clock__mode="real")
    acedata.submit(mock)
    answer = mock.acedata("/videos", acedata.ASYNC)
    acedata.refusal(answer, "too_many_requests")
    assert answer.headers["retry-after"] == "1"


def test_a_token_may_have_a_limit_of_its_own(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[acedata.account("a", slow={"rate_limit": 1}, fast={})])
    acedata.submit(mock, token="slow")
    acedata.refusal(mock.acedata("/videos", acedata.ASYNC, token="slow"), "too_many_requests")
    assert acedata.submit(mock, token="fast")


def test_a_refused_request_does_not_count(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__rate_limit=1)
    acedata.submit(mock)
    for _ in range(3):
        mock.acedata("/videos", acedata.ASYNC)
    mock.advance(60)
    assert acedata.submit(mock)


def test_a_request_over_the_limit_makes_no_task(make_mock: MakeMock) -> None:
    mock = make_mock(acedata__rate_limit=1)
    acedata.submit(mock)
    before = acedata.state(mock)
    acedata.refusal(mock.acedata("/videos", acedata.ASYNC), "too_many_requests")
    assert acedata.state(mock) == before
