"""What an explanation says about fields that had no effect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests import calls
from tests.door.explaining import BEARER, JSON, explain
from tests.mock import KEY, MINIMAL, TOKEN, MakeMock, Mock


def _json(path: str, key: str, body: Any, method: str = "POST") -> calls.Request:
    return calls.Request(
        method, path, JSON | {"authorization": f"Bearer {key}"}, json.dumps(body).encode()
    )


_STANDARD = MINIMAL | {"model": "hailuo-standard"}
_IMAGE = {"url": "https://a.example/a.png", "kind": "image", "mime_type": "image/png"}
_HOOK = {"url": "https://a.example/", "event_types": ["generation.failed"], "Name": "x"}


@pytest.mark.parametrize(
    ("asked", "ignored"),
    [
        (
            calls.create("rivya", model="hailuo-standard", duration="10"),
            {"/duration": "/params/duration"},
        ),
        (calls.create("rivya", duration="10"), {"/duration": None}),
        (calls.create("rivya", clientRequestId="x"), {"/clientRequestId": "/client_request_id"}),
        (calls.create("rivya", Files=[]), {"/Files": None}),
        (
            calls.create("rivya", params={"referenceMediaItems": [_IMAGE]}),
            {"/params/referenceMediaItems/0/mime_type": "/params/referenceMediaItems/0/mimeType"},
        ),
        (
            _json("/api/v1/generations", KEY, MINIMAL | {"a/b": 1, "": 2}),
            {"/a~1b": None, "/": None},
        ),
        (calls.create("acedata", callbackUrl="x"), {"/callbackUrl": "/callback_url"}),
        (calls.create("acedata", mirror=True, timeout=5), {"/mirror": None, "/timeout": None}),
        (_json("/api/v1/webhooks", KEY, _HOOK), {"/Name": "/name"}),
        (
            _json("/hailuo/tasks", TOKEN, {"action": "retrieve_batch", "ids": ["x"], "Ids": []}),
            {"/Ids": "/ids"},
        ),
    ],
)
def test_a_field_without_effect_is_explained_with_a_near_one(
    mock: Mock, asked: calls.Request, ignored: dict[str, str | None]
) -> None:
    told = explain(mock, calls.send(mock, asked))
    assert told["status"] == 200
    assert told["ignored"] == [
        {"pointer": pointer, "hint": meant and f"did you mean '{meant}'?"}
        for pointer, meant in ignored.items()
    ]
    for pointer, meant in ignored.items():
        hint = f"; did you mean '{meant}'?" if meant else ""
        assert f"but the field '{pointer}' was ignored{hint}" in told["because"]
    (shown,) = mock.request("GET", "/_mock/worlds/default/requests").json()["requests"]
    assert shown["ignored"] == told["ignored"]


def test_a_form_field_without_effect_is_explained(mock: Mock) -> None:
    told = explain(mock, mock.upload(clientRequestId="x"))
    assert told["ignored"] == [
        {"pointer": "/clientRequestId", "hint": "did you mean '/client_request_id'?"}
    ]


def test_unknown_lenient_params_are_explained(make_mock: MakeMock) -> None:
    mock = make_mock(rivya__params="lenient")
    told = explain(mock, mock.create(params={"prompt_optimiser": "true"}))
    assert told["ignored"] == [
        {"pointer": "/params/prompt_optimiser", "hint": "did you mean '/params/prompt_optimizer'?"}
    ]


@pytest.mark.parametrize("signs", [False, True])
def test_a_secret_is_ignored_only_while_nothing_is_signed(
    make_mock: MakeMock, caplog: pytest.LogCaptureFixture, *, signs: bool
) -> None:
    mock = make_mock(acedata__sign_callbacks=signs)
    with caplog.at_level("INFO"):
        told = explain(mock, calls.send(mock, calls.create("acedata", callback_secret="abc")))
    hint = "acedata.sign_callbacks is off"
    assert told["ignored"] == ([] if signs else [{"pointer": "/callback_secret", "hint": hint}])
    assert ("callback_secret" in caplog.text) is not signs


def test_a_few_of_many_fields_without_effect_are_named(mock: Mock) -> None:
    fields = {f"{number}{'x' * 500}": 1 for number in range(100)}
    told = explain(mock, mock.create(**fields))
    assert len(told["ignored"]) == 5
    assert all(len(each["pointer"]) < 110 for each in told["ignored"])


def test_no_name_of_a_field_without_effect_shows_a_credential(mock: Mock) -> None:
    answer = mock.create(**{KEY: 1})
    told = explain(mock, answer)
    assert KEY not in json.dumps(told)
    assert KEY not in mock.request("GET", "/_mock/worlds/default/requests").body.decode()


def test_a_right_request_ignores_nothing(mock: Mock) -> None:
    for asked in (calls.create("rivya"), calls.create("acedata"), calls.get("/api/v1/models")):
        assert explain(mock, calls.send(mock, asked))["ignored"] == []


def test_an_ignored_query_and_body_are_explained(mock: Mock) -> None:
    odd = mock.rivya("GET", "/models?limit=3")
    assert explain(mock, odd)["because"].endswith("but its query was ignored")
    odd = mock.request("GET", "/api/v1/credits?a=1", headers=BEARER | {"content-length": "2"})
    assert explain(mock, odd)["because"].endswith("but its query and its body were ignored")
    plain = mock.rivya("GET", "/credits")
    assert explain(mock, plain)["because"] == "every rule was kept"
