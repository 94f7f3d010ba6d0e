"""Secrets are hidden in all that a run writes, in every form they can take."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.keys import OPTIONS, secrets_of
from contract_tests.redaction import HIDDEN, RedactedStream, Redaction, secrets_in_url
from tests.contract_tests.test_conformance import KEY, exchange

SECRETS = ("rvya_sk_CANARYown8Zq41xW7", "CANARYtoken5Vr03mL", "p@ss/w+rd=x&y<z\"q'")
KEYS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\\%&"),
    min_size=8,
    max_size=60,
)


def lines_of(text: str, width: int = 7) -> str:
    return "\r\n".join(text[at : at + width] for at in range(0, len(text), width))


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def each(form: str) -> Callable[[str], str]:
    return lambda text: "".join(form.format(ord(letter)) for letter in text)


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": str.upper,
    "url": lambda text: quote(text, safe=""),
    "url, every letter": lambda text: "".join(f"%{byte:02X}" for byte in text.encode("latin-1")),
    "url twice": lambda text: quote(quote(text, safe=""), safe=""),
    "json": json.dumps,
    "json in json in json": lambda text: json.dumps(json.dumps(json.dumps(text))),
    "json escapes": each("\\u{:04x}"),
    "json escapes in json": lambda text: json.dumps(each("\\u{:04X}")(text)),
    "python escapes": each("\\x{:02x}"),
    "html": html.escape,
    "html numbers": each("&#{};"),
    "html hex numbers in html": lambda text: html.escape(each("&#x{:x};")(text)),
    "base64": base64_of,
    "base64 of Basic": lambda text: base64_of(f"user:{text}"),
    "base64 at offset 1": lambda text: base64_of(f"a{text}zz"),
    "base64 at offset 2": lambda text: base64_of(f"ab{text}zz"),
    "base64 for urls": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 twice": lambda text: base64_of(f"xy{base64_of(f'a{text}')}"),
    "base64 in a url": lambda text: quote(base64_of(text), safe=""),
    "base64 in lines": lambda text: lines_of(base64_of(text)),
    "base64 in lines in json": lambda text: json.dumps(lines_of(base64_of(text))),
    "hex": lambda text: text.encode().hex(),
    "in lines": lines_of,
    "letters with spaces": " ".join,
    "UTF-16 as bytes": "\0".join,
    "UTF-16 in json": lambda text: json.dumps("\0".join(text)),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_hidden_in_every_form(form: Callable[[str], str], secret: str) -> None:
    shown = Redaction(SECRETS).text(f"é {{before}}: {form(secret)} ;after")
    assert HIDDEN in shown
    assert shown.startswith("é {before}: ")
    assert shown.endswith(" ;after")
    assert len(shown) < 60  # what is around the secret in Base64, and quotes


@given(secret=KEYS, form=st.sampled_from(list(FORMS)), around=st.tuples(KEYS, KEYS))
def test_any_secret_in_any_form_is_hidden(secret: str, form: str, around: tuple[str, str]) -> None:
    written = FORMS[form](secret)
    shown = Redaction([secret]).text(f"{around[0]} {written} {around[1]}")
    assert written not in shown


@given(st.text())
def test_other_text_stays_as_it_is(text: str) -> None:
    assert Redaction(["rvya_sk_CANARYown8Zq41xW7"]).text(text) == text


def test_the_beginning_of_a_secret_is_hidden_if_the_rest_is_cut_off() -> None:
    assert Redaction(SECRETS).text("got rvya_sk_CANARYo...") == f"got {HIDDEN}..."
    assert Redaction(SECRETS).text("keys begin with rvya_sk_") == "keys begin with rvya_sk_"


@pytest.mark.parametrize("secret", ["12345678", "true", "null"])
def test_json_stays_json(secret: str) -> None:
    value = {"number": 1234567890, "sure": True, "none": None, "text": [f"a {secret} b"]}
    shown = json.loads(Redaction([secret]).json(value))
    assert shown["text"] == [f"a {HIDDEN} b"]


def test_an_exchange_is_shown_without_keys_and_signing_secrets() -> None:
    answer = {"signing_secret": "whsec_abc", "name": KEY}
    kept = Redaction([KEY]).exchange(exchange(answer))
    assert b"whsec_abc" not in kept.body
    assert KEY.encode() not in kept.body
    assert kept.sent_headers["authorization"] == HIDDEN


def test_a_signing_secret_of_an_answer_is_hidden_afterwards() -> None:
    redaction = Redaction()
    redaction.add_from(exchange({"signing_secret": "CANARYsecret", "id": "a"}))
    assert redaction.text("id a, CANARYsecret") == f"id a, {HIDDEN}"


def test_a_password_in_a_url_is_hidden() -> None:
    url = "http://ute:CANARY%20x@host/a"
    assert "CANARY x" in secrets_in_url(url)
    assert Redaction().text(f"{url}: refused") == "http://hidden@host/a: refused"
    assert secrets_in_url("http://[::1") == []


def _pieces(text: str) -> Iterator[str]:
    yield from (text[at : at + 3] for at in range(0, len(text), 3))


def test_a_secret_written_in_pieces_is_hidden() -> None:
    out: Any = io.TextIOWrapper(io.BytesIO(), "ascii")
    stream = RedactedStream(out, Redaction(SECRETS))
    for piece in _pieces(f"a {SECRETS[0]} ü\nb"):
        stream.write(piece)
    stream.flush()
    assert out.buffer.getvalue() == f"a {HIDDEN} \\xfc\nb".encode()


@given(
    before=st.lists(st.text()),
    option=st.sampled_from(OPTIONS),
    joined=st.booleans(),
    after=st.lists(st.text()),
)
def test_the_key_in_any_arguments_is_a_secret(
    before: list[str], option: str, joined: bool, after: list[str]
) -> None:
    given_key = [f"{option}={KEY}"] if joined else [option, KEY]
    assert KEY in secrets_of([*before, *given_key, *after], {})


@pytest.mark.parametrize("arguments", [[], ["--quick"], ["--api-key"]])
def test_arguments_without_a_key_have_no_secret(arguments: list[str]) -> None:
    assert not any(secrets_of(arguments, {}))
