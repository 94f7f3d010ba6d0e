"""Report files: NDJSON, HAR and one HTML page; JUnit is written by pytest itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import harfile
import jinja2

from contract_tests.exchange import Exchange, without_secrets
from contract_tests.run import Run

_TEMPLATES = Path(__file__).parent


def write(run: Run, told: Mapping[str, Any], folder: Path) -> None:
    """Write every report into `folder`. Credentials are in none of them."""
    folder.mkdir(parents=True, exist_ok=True)
    exchanges = [without_secrets(exchange, run.secrets) for exchange in run.door.exchanges]
    _ndjson(told, exchanges, folder / "run.ndjson")
    _har(exchanges, folder / "traffic.har")
    _page(told, folder / "report.html")


def _ndjson(told: Mapping[str, Any], exchanges: list[Exchange], path: Path) -> None:
    head = {name: value for name, value in told.items() if not isinstance(value, list)}
    with path.open("w", encoding="utf-8") as out:
        for kind, rows in (
            ("run", [head]),
            ("promise", told["promises"]),
            ("check", told["checks"]),
            ("finding", told["findings"]),
            ("refuted", told["refuted"]),
            ("exchange", [_line(exchange) for exchange in exchanges]),
        ):
            for row in rows:
                out.write(json.dumps({"row": kind, **row}, ensure_ascii=False) + "\n")


def _line(exchange: Exchange) -> dict[str, Any]:
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


def _har_request(exchange: Exchange) -> harfile.Request:
    posted = harfile.PostData(
        mimeType=exchange.sent_headers.get("content-type", ""),
        text=exchange.sent_body.decode(errors="replace"),
    )
    return harfile.Request(
        method=exchange.method,
        url=exchange.url,
        httpVersion="HTTP/1.1",
        headers=[harfile.Record(*pair) for pair in exchange.sent_headers.items()],
        postData=posted if exchange.sent_body else None,
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
            text=exchange.body.decode(errors="replace"),
        ),
        bodySize=len(exchange.body),
    )


def _page(told: Mapping[str, Any], path: Path) -> None:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    page = environment.get_template("page.html.jinja").render(run=told)
    path.write_text(page, "utf-8")
