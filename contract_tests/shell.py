"""Writes the body of a request as a command of a shell, which curl reads, and options of curl."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser

from contract_tests.exchange import Exchange

_LONGEST_ARGUMENT = 2000
_LONGEST_TEXT = 100_000
_REPEATED = re.compile(rb"(?s)(.{1,12}?)\1{199,}")


def body_command(exchange: Exchange) -> tuple[str, list[str]]:
    """The start of a pipe into curl, or "", and the options of curl for the body."""
    raw = exchange.sent_body
    if not raw:
        return "", []
    if exchange.sent_headers.get("content-type", "").startswith("multipart/form-data"):
        parts = list(_parts(exchange))
        if parts and sum(head.get_filename() is not None for head, _ in parts) <= 1:
            return _form(parts)
    text = _plain_text(raw)
    if text is not None:
        return "", [f"--data-raw {shlex.quote(text)}"]
    return f"{_output_of(raw)} |", ["--data-binary @-"]


def is_form(exchange: Exchange) -> bool:
    """Whether curl makes the multipart body, and so the content type, itself."""
    return any(option.startswith(("-F", "--form")) for option in body_command(exchange)[1])


def _plain_text(raw: bytes) -> str | None:
    """The body as an argument of curl; None if it has NUL, is no text, or is long."""
    if b"\0" in raw or len(raw) > _LONGEST_ARGUMENT or _REPEATED.search(raw):
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _parts(exchange: Exchange) -> Iterator[tuple[Message, bytes]]:
    """The header and the content of each part of a multipart body; none if it is malformed."""
    head = f"content-type: {exchange.sent_headers['content-type']}\r\n\r\n"
    boundary = BytesParser().parsebytes(head.encode("latin-1", "replace")).get_boundary()
    if not boundary:
        return
    for piece in (b"\r\n" + exchange.sent_body).split(f"\r\n--{boundary}".encode())[1:-1]:
        header, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        yield BytesParser().parsebytes(header + b"\r\n\r\n"), content


def _form(parts: list[tuple[Message, bytes]]) -> tuple[str, list[str]]:
    """The pipe with the bytes of the file, and an option for each part."""
    pipe, options = "", []
    for head, content in parts:
        name, filename = head.get_param("name", header="content-disposition"), head.get_filename()
        if filename is None:
            value = f"{name}={content.decode(errors='replace')}"
            options.append(f"--form-string {shlex.quote(value)}")
            continue
        escaped = str(filename).replace("\\", "\\\\").replace('"', '\\"')
        of_type = f";type={head.get_content_type()}" if head["content-type"] else ""
        options.append("-F " + shlex.quote(f'{name}=@-;filename="{escaped}"{of_type}'))
        pipe = f"{_output_of(content)} |"
    return pipe, options


def _output_of(raw: bytes) -> str:
    """A command that writes these bytes."""
    commands: list[str] = []
    end = 0
    for match in _REPEATED.finditer(raw):
        commands += [_printf(raw[end : match.start()]), _repeat(match[1], match[0])]
        end = match.end()
    commands.append(_printf(raw[end:]))
    commands = [command for command in commands if command] or ["printf ''"]
    return commands[0] if len(commands) == 1 else "{ " + "; ".join(commands) + "; }"


def _printf(raw: bytes) -> str:
    if not raw:
        return ""
    cut = raw[:_LONGEST_TEXT]
    text = "".join(
        "\\\\" if letter == "\\" else letter if letter.isprintable() else _octal(letter)
        for letter in cut.decode(errors="surrogateescape")
    )
    rest = f"  # {len(raw)} bytes, the rest is left out\n" if len(raw) > len(cut) else ""
    return f"printf %b {shlex.quote(text)}{rest}"


def _octal(letter: str) -> str:
    return "".join(f"\\0{byte:03o}" for byte in letter.encode(errors="surrogateescape"))


def _repeat(unit: bytes, repeated: bytes) -> str:
    """A command that writes a short text many times."""
    count = len(repeated) // len(unit)
    if len(unit) == 1:
        zeros = f"head -c {count} /dev/zero"
        return zeros if unit == b"\0" else f"{zeros} | tr '\\000' '\\{unit[0]:03o}'"
    return f'yes "$({_printf(unit)})" | head -n {count} | tr -d "\\n"'
