"""Every error code of Rivya occurs over HTTP, in one envelope, with the status of the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mock_server.simulation.blobs import Blobs
from tests import rivya
from tests.asgi import Answer
from tests.mock import MINIMAL, PNG, MakeMock, Mock
from tests.rows import each_row

NO_HTTP_ERROR = "generation_failed"


class BrokenBlobs(Blobs):
    """A store with a bug in it."""

    def added(self, contents: Any, place: str) -> Any:
        raise ZeroDivisionError


def switched_off(make_mock: MakeMock) -> Answer:
    return make_mock(rivya__api_enabled=False).create()


def without_key(make_mock: MakeMock) -> Answer:
    return make_mock().rivya("GET", "/credits", key=None)


def with_unknown_key(make_mock: MakeMock) -> Answer:
    return make_mock().rivya("GET", "/credits", key="rvya_sk_nobody")


def with_key(**facts: Any) -> Callable[[MakeMock], Answer]:
    def read_credits(make_mock: MakeMock) -> Answer:
        return make_mock(accounts=[rivya.account("a", it=facts)]).rivya(
            "GET", "/credits", key="rvya_sk_it"
        )

    return read_credits


def too_often(make_mock: MakeMock) -> Answer:
    mock = make_mock(rivya__rate_limit=1)
    mock.rivya("GET", "/credits")
    return mock.rivya("GET", "/credits")


def with_wrong_model(make_mock: MakeMock) -> Answer:
    return make_mock().create(model="hailuo-max")


def of_unknown_task(make_mock: MakeMock) -> Answer:
    return make_mock().rivya("GET", "/generations/task_nobody")


def with_key_of_other_body(make_mock: MakeMock) -> Answer:
    mock = make_mock()
    rivya.create_once(mock, "k")
    return rivya.create_once(mock, "k", MINIMAL | {"prompt": "Something else"})


def without_credits(make_mock: MakeMock) -> Answer:
    return make_mock(accounts=[rivya.account("a", credits=56, test={})]).create()


def by_a_bug(make_mock: MakeMock) -> Answer:
    mock = make_mock()
    rivya.use_blobs(mock, BrokenBlobs())
    return mock.upload()


def with_wrong_method(make_mock: MakeMock) -> Answer:
    return make_mock().rivya("DELETE", "/generations")


def with_local_webhook(make_mock: MakeMock) -> Answer:
    body = {"url": "https://192.168.0.1/hook", "event_types": ["generation.succeeded"]}
    return make_mock().rivya("POST", "/webhooks", body)


CASES: dict[str, Callable[[MakeMock], Answer]] = {
    "public_api_disabled": switched_off,
    "api_key_missing": without_key,
    "api_key_invalid": with_unknown_key,
    "api_key_revoked": with_key(revoked=True),
    "api_key_expired": with_key(expires_at="2026-05-10T23:59:59Z"),
    "api_scope_denied": with_key(scopes=rivya.scopes_without("credits:read")),
    "rate_limited": too_often,
    "validation_failed": with_wrong_model,
    "not_found": of_unknown_task,
    "idempotency_conflict": with_key_of_other_body,
    "insufficient_credits": without_credits,
    "internal_error": by_a_bug,
    "method_not_allowed": with_wrong_method,
    "webhook_url_rejected": with_local_webhook,
}


def test_every_code_of_the_table_has_a_case() -> None:
    assert set(CASES) | {NO_HTTP_ERROR} == set(rivya.STATUS_OF)


@pytest.mark.parametrize("code", CASES)
def test_a_code_is_in_the_envelope_and_has_the_status_of_the_table(
    make_mock: MakeMock, code: str
) -> None:
    assert rivya.refusal(CASES[code](make_mock), code)


def test_generation_failed_is_in_the_generation_and_is_no_http_error(
    make_mock: MakeMock,
) -> None:
    mock = make_mock(tasks__failure_rate=1)
    task_id = mock.create().json()["id"]
    mock.advance(1)
    answer = mock.rivya("GET", f"/generations/{task_id}")
    assert answer.status == 200
    assert answer.json()["error"]["code"] == NO_HTTP_ERROR
    assert rivya.STATUS_OF[NO_HTTP_ERROR] is None


def test_every_refusal_has_a_different_request_id(mock: Mock) -> None:
    ids = {mock.rivya("GET", "/nowhere").json()["error"]["requestId"] for _ in range(20)}
    assert len(ids) == 20


def test_without_mock_headers_the_envelope_still_names_the_request(make_mock: MakeMock) -> None:
    answer = make_mock(mock_headers=False).rivya("GET", "/nowhere")
    assert answer.json()["error"]["requestId"].startswith("req_")
    assert not {"mock-request", "mock-world"} & set(answer.headers)


def test_a_refusal_of_a_key_names_the_scheme_that_would_be_right(mock: Mock) -> None:
    assert mock.rivya("GET", "/credits", key=None).headers["www-authenticate"] == "Bearer"


def test_the_status_of_too_few_credits_is_a_setting(make_mock: MakeMock) -> None:
    mock = make_mock(
        rivya__insufficient_credits_status=409, accounts=[rivya.account("a", credits=0, test={})]
    )
    answer = mock.create()
    assert (answer.status, answer.json()["error"]["code"]) == (409, "insufficient_credits")


# --- faults of the server itself ---------------------------------------------------------------


def test_the_upload_of_a_request_with_a_bug_is_deleted(make_mock: MakeMock) -> None:
    mock = make_mock()
    rivya.use_blobs(mock, BrokenBlobs())
    before = rivya.state(mock)
    mock.upload()
    assert rivya.state(mock) == before


def test_the_message_of_a_bug_shows_nothing_internal(make_mock: MakeMock) -> None:
    mock = make_mock()
    rivya.use_blobs(mock, BrokenBlobs())
    message = rivya.refusal(mock.upload(), "internal_error")
    assert "ZeroDivision" not in message
    assert "Traceback" not in message


def test_the_server_still_answers_after_a_bug(make_mock: MakeMock) -> None:
    mock = make_mock()
    rivya.use_blobs(mock, BrokenBlobs())
    mock.upload()
    assert mock.create().status == 200


def test_an_upload_that_cannot_be_written_is_an_internal_error(mock: Mock) -> None:
    assert rivya.refusal(_upload_to_a_full_disk(mock), "internal_error")


def test_an_upload_that_cannot_be_written_is_not_stored(mock: Mock) -> None:
    mock.upload(PNG + b"small")
    before, folder = rivya.state(mock), mock.fake.blobs.path("x").parent
    kept = sorted(folder.iterdir())
    _upload_to_a_full_disk(mock)
    assert rivya.state(mock) == before
    assert sorted(folder.iterdir()) == kept


def test_the_next_upload_that_fits_is_stored(mock: Mock) -> None:
    _upload_to_a_full_disk(mock)
    assert mock.upload().status == 200


def _upload_to_a_full_disk(mock: Mock) -> Answer:
    """An upload while the operating system limits each file to one MiB."""
    resource = pytest.importorskip("resource", reason="needs limits of the operating system")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 1024, hard))
    try:
        return mock.upload(PNG + b"\x00" * 2 * 1024 * 1024)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# --- paths and methods -------------------------------------------------------------------------

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "FOO"]
PATHS = sorted({path for _, path, *_ in [*rivya.OPERATIONS, *rivya.PUBLIC_OPERATIONS]})


def allowed(path: str) -> set[str]:
    """The methods a path has by the endpoint inventory."""
    return {
        method
        for method, known, *_ in [*rivya.OPERATIONS, *rivya.PUBLIC_OPERATIONS]
        if known == path
    }


@each_row(
    "method, path",
    [
        (method, path)
        for path in PATHS
        for method in [*METHODS, *([] if "GET" in allowed(path) else ["HEAD"])]
        if method not in allowed(path)
    ],
)
def test_a_wrong_method_is_refused_and_the_right_ones_are_named(
    mock: Mock, method: str, path: str
) -> None:
    answer = mock.rivya(method, path, MINIMAL)
    rivya.refusal(answer, "method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == allowed(path)


@pytest.mark.parametrize("path", [path for path in PATHS if "GET" in allowed(path)])
def test_head_is_answered_like_get(mock: Mock, path: str) -> None:
    assert mock.rivya("HEAD", path).status == mock.rivya("GET", path).status


def test_the_method_is_checked_before_the_key(mock: Mock) -> None:
    rivya.refusal(mock.rivya("DELETE", "/credits", key=None), "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/nowhere",
        "/generations/",
        "/generations/task_x/",
        "/generations/task_x/cancel",
        "/files/",
        "/credits/",
        "/models/hailuo-pro",
        "/webhooks/",
        "/webhooks/whend_x/rotate",
        "/webhook-events/evt_x",
        "/chat/completions",
        "/keys",
        "/Generations",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "FOO"])
def test_an_unknown_path_is_not_found_in_the_envelope(mock: Mock, method: str, path: str) -> None:
    rivya.refusal(mock.rivya(method, path, MINIMAL), "not_found")


def test_a_wrong_path_is_not_redirected(mock: Mock) -> None:
    assert "location" not in mock.rivya("POST", "/generations/", MINIMAL).headers


def test_the_path_is_checked_before_the_switch_and_the_key(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__api_enabled=False)
    rivya.refusal(mock.rivya("GET", "/nowhere", key=None), "not_found")


@pytest.mark.parametrize(
    "task_id", ["x", "task_", "%00", "..", "task_" + "0" * 4000, "täsk", "task_x\n", "*"]
)
def test_a_malformed_task_id_is_not_found(mock: Mock, task_id: str) -> None:
    rivya.refusal(mock.rivya("GET", f"/generations/{task_id}"), "not_found")
