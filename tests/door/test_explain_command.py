"""The command `hailuo-mock explain`."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner, Result

from mock_server.__main__ import main
from tests import calls
from tests.live import live
from tests.receiver import receiver


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments])


def made(url: str, asked: calls.Request) -> str:
    """The id of a request that was made."""
    answer = httpx2.request(
        asked.method, url + asked.path, headers=asked.headers, content=asked.body
    )
    request_id: str = answer.headers["mock-request"]
    return request_id


def test_the_command_prints_lines() -> None:
    with live() as mock:
        request_id = made(mock.url, calls.create("rivya", "rate_limited", calls.HEADER))
        result = run(request_id, "--url", mock.url)
    assert result.exit_code == 0, result.output
    assert [line.split(maxsplit=1) for line in result.stdout.splitlines()] == [
        ["asked", "POST /api/v1/generations"],
        ["status", "429"],
        [
            "because",
            "the scenario 'rate_limited' caused it, through the Mock-Scenario header; "
            "otherwise: accepted",
        ],
        ["scenario", "rate_limited"],
        ["channel", "Mock-Scenario header"],
        ["without", "accepted"],
    ]


def test_the_command_leaves_out_empty_parts() -> None:
    with live() as mock:
        result = run(made(mock.url, calls.create("rivya", prompt=5)), "--url", mock.url)
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert names == ["asked", "status", "because", "refusal"]


def test_the_command_prints_the_json_of_the_door() -> None:
    with live() as mock:
        request_id = made(mock.url, calls.create("acedata"))
        result = run(request_id, "--url", mock.url, "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["request"], told["status"]) == (0, request_id, 200)


def test_the_command_ends_with_2_without_an_explanation() -> None:
    with live() as mock:
        unknown = run("req_none", "--url", mock.url)
        url = mock.url
    gone = run("req_none", "--url", url)
    nowhere = run("req_none", "--url", "nonsense")
    assert [each.exit_code for each in (unknown, gone, nowhere)] == [2, 2, 2]
    assert [each.stdout for each in (unknown, gone, nowhere)] == ["", "", ""]
    assert "no request with that id is known" in unknown.stderr
    assert f"no server answers at {url}" in gone.stderr
    assert "no server answers at nonsense" in nowhere.stderr


def test_the_command_recognises_another_server() -> None:
    with receiver() as other:
        told = run("req_x", "--url", other.url)
    assert (told.exit_code, told.stdout) == (2, "")
    assert "and not by a hailuo-mock" in told.stderr


def test_the_command_reads_url_and_token_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with live(control_token="sesame") as mock:
        asked = httpx2.get(f"{mock.url}/api/v1/credits").headers["mock-request"]
        monkeypatch.setenv("HAILUO_MOCK_URL", mock.url)
        monkeypatch.setenv("HAILUO_MOCK_CONTROL_TOKEN", "sesame")
        assert run(asked).exit_code == 0
        monkeypatch.setenv("HAILUO_MOCK_CONTROL_TOKEN", "")
        assert "this door is locked" in run(asked).stderr


def test_the_command_sends_a_token_to_a_locked_door() -> None:
    with live(control_token="secret") as mock:
        request_id = made(mock.url, calls.create("rivya"))
        refused = run(request_id, "--url", mock.url)
        let_in = run(request_id, "--url", mock.url, "--control-token", "secret")
    assert (refused.exit_code, let_in.exit_code) == (2, 0)
    assert "every rule was kept" in let_in.stdout


@pytest.mark.parametrize("flag", ["--config", "--port", "--scenario-dir", "--callback-hosts"])
def test_a_blank_flag_is_ignored(flag: str) -> None:
    plain = CliRunner().invoke(main, ["config"])
    assert CliRunner().invoke(main, ["config", flag, " "]).output == plain.output
    assert CliRunner().invoke(main, ["config", flag, ""]).output == plain.output


def test_an_error_of_the_command_line_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a\nb\x1b[31m.toml").write_text("x = 1")
    settings = tmp_path / "mock.toml"
    settings.write_text('"por\\nt\\u001b" = 1')
    for asked in (
        ["scenarios", "--scenario-dir", str(tmp_path)],
        ["config", "--config", str(settings)],
        ["serve", "--host", "x\n\x1b[31m"],
    ):
        told = CliRunner().invoke(main, asked)
        assert told.exit_code == 2
        assert told.output.removesuffix("\n").isprintable()
        assert told.output.startswith("hailuo-mock: ")
