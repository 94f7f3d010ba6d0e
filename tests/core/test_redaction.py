"""Secrets are found in any text, whatever their number and their characters."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.redaction import REDACTED, SHORTEST, Redaction

FEW = "abc/"
SECRETS = st.lists(st.text(FEW, min_size=SHORTEST, max_size=8), max_size=40)
PLAIN = st.text(FEW + "- ", max_size=60)


def expected(text: str, secrets: Sequence[str]) -> str:
    """The text with the longest secret at each place hidden, from the left."""
    shown, place = "", 0
    longest_first = sorted(secrets, key=len, reverse=True)
    while place < len(text):
        found = next((each for each in longest_first if text.startswith(each, place)), None)
        shown += REDACTED if found else text[place]
        place += len(found or " ")
    return shown


@given(SECRETS, PLAIN)
def test_secrets_are_hidden_and_nothing_else(secrets: list[str], text: str) -> None:
    assert Redaction(secrets).text(text) == expected(text, secrets)


@pytest.mark.parametrize("others", [[], [f"{number:04x}-other" for number in range(100)]])
def test_the_longest_of_nested_secrets_is_hidden(others: list[str]) -> None:
    redaction = Redaction(["abcd", "abcdef", "abcdex", "abcdefgh", *others])
    assert redaction.text("abcdez abcdefgz abcdefgh") == f"{REDACTED}ez {REDACTED}gz {REDACTED}"


@given(SECRETS, PLAIN, st.integers(0, 60))
def test_more_secrets_do_not_change_the_result(secrets: list[str], text: str, cut: int) -> None:
    others = [f"{number:04x}-other" for number in range(100)]
    assert Redaction([*secrets, *others]).text(text) == expected(text, secrets)
    shorter = text[:cut].encode()
    few, many = Redaction(secrets), Redaction([*secrets, *others])
    assert many.content(shorter, is_cut=True) == few.content(shorter, is_cut=True)


@given(SECRETS, PLAIN)
def test_hiding_twice_changes_nothing_more(secrets: list[str], text: str) -> None:
    redaction = Redaction([*secrets, "dacted", "[redacted] ["])
    once = redaction.text(text)
    assert redaction.text(once) == once


def ascii_escaped(text: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" for letter in text)


WRITERS: list[tuple[Callable[[str], str], Callable[[str], str]]] = [
    (lambda text: json.dumps(text)[1:-1], lambda text: str(json.loads(f'"{text}"'))),
    (ascii_escaped, lambda text: str(json.loads(f'"{text}"'))),
    (lambda text: quote(text, safe=""), unquote),
    (lambda text: "".join(f"%{byte:02x}" for byte in text.encode()), unquote),
]


@pytest.mark.parametrize(("write", "read"), WRITERS)
@given(secret=st.text("".join(map(chr, range(0x21, 0x7F))), min_size=4, max_size=9), rest=PLAIN)
def test_secrets_in_an_escaped_text_are_hidden_too(
    write: Callable[[str], str], read: Callable[[str], str], secret: str, rest: str
) -> None:
    text = f"{rest}{secret}{rest}é"
    hidden = Redaction([secret]).text(write(text))
    assert secret not in hidden
    assert secret not in read(hidden)
    assert read(hidden).endswith("é")


@pytest.mark.parametrize("write", [str, ascii_escaped, quote])
def test_a_body_cut_at_any_place_contains_no_part_of_a_secret(write: Callable[[str], str]) -> None:
    body = write("is it zyxwvutsrq").encode()
    for end in range(len(body) + 1):
        shown = Redaction(["zyxwvutsrq"]).content(body[:end], is_cut=True)
        assert write("zyxw").encode() not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rvya_sk_live_A-9 rvya_sk_", f"{REDACTED} rvya_sk_"),
        ("whsec_ab+/=.", f"{REDACTED}."),
        ("http://u:p@h.test/?a=b", f"http://{REDACTED}@h.test/?a=b"),
        ("?token=a&a=b&API_KEY=c#d", f"?token={REDACTED}&a=b&API_KEY={REDACTED}#d"),
        ("?monkey=a&keys=b&a@b.test", "?monkey=a&keys=b&a@b.test"),
        ('{"callback_secret": "a\\"b", "a": 1}', f'{{"callback_secret": "{REDACTED}", "a": 1}}'),
    ],
)
def test_text_in_the_form_or_field_of_a_secret_is_hidden(text: str, shown: str) -> None:
    assert Redaction((), ["rvya_sk_"]).text(text) == shown


def test_values_are_hidden_in_names_and_at_every_depth() -> None:
    value = {"a": [{"callback_secret": 5, "hush-hush": "a hush-hush"}], "b": None}
    shown = {"a": [{"callback_secret": REDACTED, REDACTED: f"a {REDACTED}"}], "b": None}
    assert Redaction(["hush-hush"]).json(json.dumps(value).encode()) == shown


BODIES = {
    "plain": b"y" * 65_536,
    "json": json.dumps({"prompt": 'She says "now".\n' * 3500}).encode(),
    "urls": b"a%20b%41" * 8000,
    "hidden": b"[redacted]?key=" * 4000,
}


def cost_s(redaction: Redaction, body: bytes) -> float:
    """The least processor time of some runs over a body."""
    costs = []
    for _ in range(5):
        began = time.process_time()
        redaction.content(body)
        costs.append(time.process_time() - began)
    return min(costs)


@pytest.mark.parametrize("name", BODIES)
def test_ten_times_as_many_secrets_cost_no_more(name: str) -> None:
    chance = random.Random(5)
    keys = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz-_", k=24)) for _ in range(5000)]
    few, many = (cost_s(Redaction(some), BODIES[name]) for some in (keys[:500], keys))
    assert many < 4 * few + 0.002
