"""What a judged client finds in its environment, and what it does not."""

from __future__ import annotations

import pytest

from mock_server.apis import ALL
from mock_server.apis.acedata import ACEDATA
from mock_server.apis.rivya import RIVYA
from mock_server.judge.environment import (
    OWN,
    RunValues,
    environment_of,
    passed_of,
    usual_variables,
    variables_of,
)
from mock_server.judge.refusal import CannotRun

VALUES = RunValues(
    url="http://127.0.0.1:1",
    key="the-key",
    secret="the-secret",
    callback="http://127.0.0.1:2/hook",
    dir="/state",
    temporary="/tmp/own",
    proxy="http://127.0.0.1:3",
)


def test_no_variable_of_the_user_gets_in_unless_it_is_needed_or_named() -> None:
    user = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "AWS_SECRET_ACCESS_KEY": "canary",
        "RIVYA_API_KEY": "canary",
        "HTTPS_PROXY": "http://proxy.example:canary",
        "https_proxy": "http://proxy.example:canary",
        "NO_PROXY": "canary.example",
        "TMPDIR": "canary",
        "MINE": "mine",
    }
    found = environment_of(user, usual_variables(RIVYA), VALUES, ["MINE"])
    assert "canary" not in str(found)
    assert (found["PATH"], found["HOME"], found["MINE"]) == ("/bin", "/home/me", "mine")
    assert found["TMPDIR"] == "/tmp/own"
    assert "MINE" not in environment_of(user, usual_variables(RIVYA), VALUES)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
def test_every_proxy_variable_leads_to_the_refusing_proxy(name: str) -> None:
    found = environment_of({}, {}, VALUES)
    assert found[name] == found[name.lower()] == VALUES.proxy
    assert found["NO_PROXY"] == found["no_proxy"] == "127.0.0.1,localhost,::1"


def test_the_usual_variables_are_those_of_the_api() -> None:
    rest = {"WEBHOOK_SECRET": "secret", "CALLBACK_URL": "callback", "STATE_DIR": "dir"}
    rivya = {"RIVYA_BASE_URL": "url", "RIVYA_API_KEY": "key"}
    assert usual_variables(RIVYA) == rivya | rest
    acedata = {"ACEDATA_BASE_URL": "url", "ACEDATA_API_TOKEN": "key"}
    assert usual_variables(ACEDATA) == acedata | rest
    assert all(usual_variables(api) for api in ALL)


def test_named_variables_get_what_they_are_for() -> None:
    variables = variables_of(["BASE=url", "TOKEN=key", "HOOK=callback", "S=secret", "D=dir"])
    found = environment_of({}, variables, VALUES)
    assert [found[name] for name in variables] == [
        VALUES.url, VALUES.key, VALUES.callback, VALUES.secret, VALUES.dir
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("BASE", "must be NAME=WHAT"),
        ("=url", "must be NAME=WHAT"),
        ("BASE=ulr", "did you mean 'url'"),
        ("BASE=", "one of url, key, secret, callback, dir"),
    ],
)
def test_a_wrong_variable_is_refused_with_what_would_be_right(option: str, sentence: str) -> None:
    with pytest.raises(CannotRun, match=sentence):
        variables_of([option])


def test_a_variable_has_one_value() -> None:
    with pytest.raises(CannotRun, match="A is given twice"):
        variables_of(["A=url", "A=key"])
    with pytest.raises(CannotRun, match="the judge gives A a value"):
        passed_of(["A"], {"A": "mine"}, variables_of(["A=url"]))


def test_no_option_replaces_a_variable_that_the_judge_needs() -> None:
    fixed = {name for name, value in environment_of({}, {}, VALUES).items() if len(value) > 1}
    assert fixed == OWN
    for name in fixed:
        with pytest.raises(CannotRun, match=f"{name} leads to .*take another name"):
            variables_of([f"{name}=key"])
        with pytest.raises(CannotRun, match=f"{name} leads to .*take another name"):
            passed_of([name], {name: "mine"}, {})
