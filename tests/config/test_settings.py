"""Sources of settings, their order, and errors in them."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from mock_server.apis import ALL
from mock_server.config.settings import Effective, Settings, setting_infos
from mock_server.config.sources import SettingsError, read_settings
from mock_server.config.toml import settings_as_toml


def read(
    file: Path | None = None, *, flags: Any = None, environment: Any = None
) -> tuple[Settings, dict[str, Effective]]:
    settings, rows = read_settings(
        flags=flags or {}, environment=environment or {}, file=file, apis=ALL
    )
    return settings, {row.info.name: row for row in rows}


def write(folder: Path, text: str) -> Path:
    path = folder / "hailuo-mock.toml"
    path.write_text(text, "utf-8")
    return path


def test_flags_count_before_the_environment_the_file_and_the_defaults(
    tmp_path: Path,
) -> None:
    file = write(tmp_path, "port = 1\nseed = 1\nhost = 'file.test'\n")
    environment = {"HAILUO_MOCK_PORT": "2", "HAILUO_MOCK_SEED": "2"}
    settings, rows = read(file, flags={"port": "3"}, environment=environment)
    assert (settings.port, settings.seed, settings.host) == (3, 2, "file.test")
    assert rows["port"].origin == "flag --port"
    assert rows["seed"].origin == "environment variable HAILUO_MOCK_SEED"
    assert rows["host"].origin == f"{file}:3"
    assert rows["log_level"].origin == "default"


def test_every_setting_can_be_set_by_the_environment() -> None:
    spelled = {
        "tasks.failure_rate": "0.25",
        "callback_hosts": "a.test, b.test",
        "mock_headers": "0",
    }
    variables = {f"HAILUO_MOCK_{name.upper().replace('.', '_')}": v for name, v in spelled.items()}
    settings, _ = read(environment=variables)
    assert settings.tasks.failure_rate == 0.25
    assert settings.callback_hosts == ("a.test", "b.test")
    assert settings.mock_headers is False


def test_the_output_of_config_is_a_file_with_the_same_settings(tmp_path: Path) -> None:
    before, rows = read(
        flags={"public_url": "https://mock.test", "clock.start": "2026-05-11T00:00:00Z"}
    )
    after, _ = read(write(tmp_path, settings_as_toml(rows.values())))
    assert after == before


def test_no_line_that_config_prints_is_wider_than_a_terminal_but_long_lists(tmp_path: Path) -> None:
    _, rows = read()
    wide = [line for line in settings_as_toml(rows.values()).splitlines() if len(line) > 80]
    assert all(line.startswith("scopes = ") for line in wide)


def test_every_setting_has_a_sentence() -> None:
    assert all(len(knob.sentence) > 10 for knob in setting_infos(ALL))


def test_a_missing_default_file_is_no_error(tmp_path: Path) -> None:
    with chdir(tmp_path):
        assert {row.origin for row in read()[1].values()} == {"default"}


def test_the_file_in_the_current_folder_is_read(tmp_path: Path) -> None:
    write(tmp_path, "port = 7\n")
    with chdir(tmp_path):
        assert read()[0].port == 7


WRONG_FILES = {
    "port = 99999": (":1:", "65535"),
    "\nprot = 1": (":2:", "'port'"),
    "[rivya]\n\napi_enabld = true": (":3:", "'rivya.api_enabled'"),
    "[rivia]\napi_enabled = true": (":1:", "rivia"),
    "[rivya]\nrate_limit = 1\n[acedata]\nrate_limit = 'x'": (":4:", "a whole number"),
    "log_level = 'warn'": (":1:", "'warning'"),
    "port = true": (":1:", "a whole number"),
    "[tasks]\nqueued_s = -1": (":2:", ">= 0"),
    "time_scale = 0": (":1:", "> 0"),
    "public_url = 'mock.test'": (":1:", "public_url: must be a URL that begins with http://"),
    "public_url = 'http://a/?b'": (":1:", "public_url: must be a URL"),
    "[clock]\nstart = 2026-05-11T00:00:00": (":2:", "clock.start"),
    "[task]\nqueued_s = 1.0": (":1:", "no such table '[task]'; did you mean '[tasks]'?"),
    "seed = 1\n[acedate]\nsign_callbacks = true": (":2:", "'[acedata]'"),
    "[zzz]\nx = 1": (":1:", "no such table '[zzz]'"),
    "[account]\nname = 'a'": (":1:", "'[[accounts]]'"),
    "tasks = 5": (":1:", "'tasks' is a table: write [tasks]"),
    "queued_s = 1": (":1:", "'tasks.queued_s'"),
    "[tasks]\nport = 1": (":2:", "'port' belongs above all tables"),
    "[rivya]\nsign_callbacks = true": (":2:", "'acedata.sign_callbacks'"),
    "[rivya]\nsignature_header = 'a b'": (":2:", "must be a header's name"),
    "control_token = 'a b'": (":1:", "must be visible ASCII characters without spaces"),
    "scenario = 'a b'": (":1:", "must be a scenario's name"),
    "[[accounts]]\nname='a b'\ncredits=1\nkeys=[]": ("accounts[0].name", "must be 1 to 64 of"),
    "callback_hosts = ['http://api:8000/hook']": (":1:", "is a URL: give the host alone, as in"),
    "callback_hosts = ['']": (":1:", "an empty name is no host"),
    "seed = [": ("is not TOML", "end of document"),
    "port = 1\nport = 2\n": ("is not TOML", "line 2"),
    "[[accounts]]\nname='a'\ncredits=1\n[[accounts.keys]]\nkey='k'\napi='acedata'\nscops=[]": (
        ":7:",
        "'scopes'",
    ),
    "[[accounts]]\nname='a'\ncredits=1\nkeys=[{key='k', api='acedata', scopes=['credits:raed']}]": (
        "scopes[0]",
        "'credits:read'",
    ),
    "[[accounts]]\nname='a'\ncredits=1\nkeys=[]\n[[accounts]]\nname='a'\ncredits=1\nkeys=[]": (
        "'a'",
        "twice",
    ),
    "[[accounts]]\nname='a'\ncredits=-1\nkeys=[]": ("credits", ">= 0"),
    "[[accounts]]\nname='a'\ncredits=1\nkeys=[{key='sk', api='rivya'}]": ("rvya_sk_", "'a'"),
}


@pytest.mark.parametrize(("text", "told"), WRONG_FILES.items())
def test_a_wrong_file_stops_the_start_with_place_and_reason(
    tmp_path: Path, text: str, told: tuple[str, str]
) -> None:
    with pytest.raises(SettingsError) as refusal:
        read(write(tmp_path, text))
    assert "hailuo-mock.toml" in str(refusal.value)
    assert all(part in str(refusal.value) for part in told), str(refusal.value)


def test_a_wrong_setting_never_shows_a_key(tmp_path: Path) -> None:
    text = "[[accounts]]\nname='a'\ncredits=1\nkeys=[{key='secret1', api='rivya'}]"
    with pytest.raises(SettingsError) as refusal:
        read(write(tmp_path, text))
    assert "secret1" not in str(refusal.value)


def test_a_wrong_token_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refusal:
        read(environment={"HAILUO_MOCK_CONTROL_TOKEN": "sesame open"})
    assert "sesame" not in str(refusal.value)


def test_no_sentence_shows_an_expression(tmp_path: Path) -> None:
    """Sentences say in words what is right; they show no pattern."""
    for knob in setting_infos(ALL):
        for text in ("", " ", "\t!", "\u00e4", "[]", "-1", "http://"):
            try:
                read(flags={knob.name: text})
            except SettingsError as refusal:
                assert "regex" not in str(refusal), refusal  # noqa: PT017
                assert "$" not in str(refusal), refusal  # noqa: PT017


def test_a_blank_variable_is_ignored() -> None:
    blank = {
        f"HAILUO_MOCK_{knob.name.upper().replace('.', '_')}": " " for knob in setting_infos(ALL)
    }
    settings, rows = read(environment=blank | {"HAILUO_MOCK_CONFIG": "", "HAILUO_MOCK_UNKNOWN": ""})
    assert settings == read()[0]
    assert {row.origin for row in rows.values()} == {"default"}


@pytest.mark.parametrize("name", ["rivya.webhook_waits_s", "callback_hosts"])
def test_a_list_in_a_variable_can_be_empty(name: str) -> None:
    variable = f"HAILUO_MOCK_{name.upper().replace('.', '_')}"
    assert read(environment={variable: "none"})[1][name].value == ()


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://mock.test:4010/", "http://mock.test:4010"),
        ("https://mock.test/fake", "https://mock.test/fake"),
        ("https://mock.test/fake//", "https://mock.test/fake"),
    ],
)
def test_a_public_url_may_have_a_path_and_ends_without_a_slash(url: str, kept: str) -> None:
    assert read(flags={"public_url": url})[0].public_url == kept


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "hailuo-mock.toml"
    path.write_bytes(b"\xef\xbb\xbfseed = 7\n")
    assert read(path)[0].seed == 7


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("seed = 7\n".encode("utf-16"), "is UTF-16 (at byte 0): save it as UTF-8"),
        (b"scenario = '\xe4'\n", "is not UTF-8 (at byte 12): save it as UTF-8"),
        (b"\x00\x05\x16\x07", "is not TOML"),
    ],
)
def test_a_file_in_another_encoding_is_no_invalid_toml(
    tmp_path: Path, content: bytes, why: str
) -> None:
    require_refused(tmp_path, content, why)


def test_a_file_without_an_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    require_refused(tmp_path, b"#" * 10_000_001, "has more than 10 MB")


def require_refused(folder: Path, content: bytes, why: str) -> None:
    path = folder / "hailuo-mock.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError) as refusal:
        read(path)
    assert why in str(refusal.value)


def test_an_unknown_variable_is_named_with_the_nearest_known_one() -> None:
    with pytest.raises(SettingsError, match="HAILUO_MOCK_PROT.*'HAILUO_MOCK_PORT'"):
        read(environment={"HAILUO_MOCK_PROT": "1"})


def test_the_variables_of_a_kubernetes_service_are_explained() -> None:
    linked = {
        "HAILUO_MOCK_SERVICE_HOST": "10.0.0.1",
        "HAILUO_MOCK_PORT": "tcp://10.0.0.1:4010",
        "HAILUO_MOCK_PORT_4010_TCP_ADDR": "10.0.0.1",
    }
    with pytest.raises(SettingsError, match="enableServiceLinks: false"):
        read(environment=linked)


def test_variables_of_other_programs_are_ignored() -> None:
    others = {"HAILUO_MOCK_URL": "http://x", "HAILUO_MOCK_COMMAND": "uvx it", "PATH": "/bin"}
    assert read(environment=others)[0].port == 4010


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: cannot be read"):
        read(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    "url",
    ["http://h:99999", "http://h:x", "http://[::1", "http://h/\u00e9", "http://h\\x", "http://h/\x01",
     "http://", "http://:4010", "http://h/ x"],
)  # fmt: skip
def test_a_public_url_that_no_client_could_use_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="must be a URL"):
        read(flags={"public_url": url})


def test_a_variable_ends_before_its_line_break() -> None:
    settings, _ = read(environment={"HAILUO_MOCK_PORT": " 4011\r", "HAILUO_MOCK_HOST": " ::1\n"})
    assert (settings.port, settings.host) == (4011, "::1")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ('[clock]\nstart = "now"', "must be a moment, like 2026-05-11T00:00:00Z"),
        ('[accounts]\nname = "x"', "write [[accounts]]"),
        (
            '[[accounts]]\nname = "x"\ncredits = 1\n[[accounts.key]]\nkey = "k"',
            "did you mean 'keys'?",
        ),
        (
            '[[accounts]]\nname = "x"\ncredits = 1\n[[accounts.keys]]\nkey = "k"\napi = "rivia"',
            "must be one of rivya, acedata, other; did you mean 'rivya'?",
        ),
        ("x = " + "[" * 3000, "is nested too deep"),
    ],
)
def test_a_wrong_file_is_refused_with_what_would_be_right(
    tmp_path: Path, text: str, right: str
) -> None:
    require_refused(tmp_path, text.encode(), right)
