"""Writes the report files: NDJSON, HAR and one HTML page. pytest writes the JUnit file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import harfile
import jinja2

from contract_tests.drift import recording
from contract_tests.exchange import Exchange
from contract_tests.options import Options
from contract_tests.redaction import Redaction
from contract_tests.run import Run

_LONGEST_TEXT, _LONGEST_BINARY = 2048, 128
_TEMPLATES = Path(__file__).parent
_JUNIT = "junit.xml"
_FILES = (_JUNIT, "run.ndjson", "traffic.har", "report.html")


class NotWritable(Exception):
    """A report or a recording cannot be written. The message names the option and the path."""


def require_writable(options: Options) -> None:
    """Raise NotWritable if a file of the report or of the recording cannot be written."""
    for option, folder, names in (
        ("--report-dir", options.report_dir, _FILES),
        ("--record", options.record_dir, (recording.FILE,)),
    ):
        try:
            for path in (folder / name for name in names) if folder is not None else ():
                path.parent.mkdir(parents=True, exist_ok=True)
                is_new = not path.exists()
                path.open("ab").close()
                if is_new:
                    path.unlink()
        except OSError as error:
            raise NotWritable(f"{option}: {error.filename}: {error.strerror}") from error


def redact(run: Run) -> None:
    """Hide secrets in the JUnit file, which pytest has written."""
    path = run.options.report_dir and run.options.report_dir / _JUNIT
    if path and path.is_file():
        text = path.read_text("utf-8")
        path.write_text(run.redaction.text(text), "utf-8")


def write(run: Run, result: Mapping[str, Any], folder: Path) -> None:
    """Write every report into `folder`, without credentials."""
    folder.mkdir(parents=True, exist_ok=True)
    redaction = run.redaction
    exchanges = [redaction.exchange(exchange) for exchange in run.transport.exchanges]
    _ndjson(result, exchanges, folder / "run.ndjson", redaction)
    _har(exchanges, folder / "traffic.har")
    (folder / "report.html").write_text(redaction.text(page(result)), "utf-8", "replace")


def _ndjson(
    result: Mapping[str, Any], exchanges: list[Exchange], path: Path, redaction: Redaction
) -> None:
    head = {name: value for name, value in result.items() if not isinstance(value, list)}
    with path.open("w", encoding="utf-8", errors="replace") as out:
        for kind, rows in (
            ("run", [head]),
            ("promise", result["promises"]),
            ("check", result["checks"]),
            ("finding", result["findings"]),
            ("refuted", result["refuted"]),
            ("exchange", [_exchange_row(exchange) for exchange in exchanges]),
        ):
            for row in rows:
                out.write(redaction.json({"row": kind, **row}) + "\n")


def _exchange_row(exchange: Exchange) -> dict[str, Any]:
    return {
        "method": exchange.method,
        "path": exchange.path,
        "status": exchange.status,
        "sent": exchange.sent_body[:4096].decode(errors="replace"),
        "answer": exchange.body[:4096].decode(errors="replace"),
        "took_ms": round(exchange.took_s * 1000, 2),
    }


def _har(exchanges: list[Exchange], path: Path) -> None:
    with harfile.HarFile.open(path) as har:
        for exchange in exchanges:
            har.add_entry(
                startedDateTime=datetime.fromtimestamp(exchange.started_s, UTC),
                time=exchange.took_s * 1000,
                request=_har_request(exchange),
                response=_har_response(exchange),
                timings=harfile.Timings(send=0, wait=exchange.took_s * 1000, receive=0),
            )


def _shown(body: bytes) -> str:
    """The body as text, its beginning if it is long: `bodySize` has the whole length."""
    is_text = b"\0" not in body[:_LONGEST_TEXT]
    longest = _LONGEST_TEXT if is_text else _LONGEST_BINARY
    cut = body[:longest].decode(errors="replace").replace("\0", "\ufffd")
    return cut if len(body) <= longest else f"{cut}... ({len(body)} bytes)"


def _har_request(exchange: Exchange) -> harfile.Request:
    data = harfile.PostData(
        mimeType=exchange.sent_headers.get("content-type", ""),
        text=_shown(exchange.sent_body),
    )
    return harfile.Request(
        method=exchange.method,
        url=exchange.url,
        httpVersion="HTTP/1.1",
        headers=[harfile.Record(*pair) for pair in exchange.sent_headers.items()],
        postData=data if exchange.sent_body else None,
        bodySize=len(exchange.sent_body),
    )


def _har_response(exchange: Exchange) -> harfile.Response:
    return harfile.Response(
        status=exchange.status,
        statusText="",
        httpVersion="HTTP/1.1",
        headers=[harfile.Record(*pair) for pair in exchange.headers.items()],
        content=harfile.Content(
            size=len(exchange.body),
            mimeType=exchange.headers.get("content-type", ""),
            text=_shown(exchange.body),
        ),
        bodySize=len(exchange.body),
    )


def page(result: Mapping[str, Any]) -> str:
    """The result as one HTML page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("page.html.jinja").render(run=result)
