"""Headers that a connection repeats are read once: the journal is the same as if all were read."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from mock_server.server.app import make_app
from mock_server.server.known_headers import KnownHeaders
from mock_server.server.make_server import make_server
from mock_server.simulation.state import ServerState
from mock_server.simulation.world_plans import WorldPlan
from tests.mock import KEY, START_MS, TOKEN, settings_of
from tests.spoken import converse

FORGED = "rvya_sk_of_the_real_service"
HEADERS = [
    [f"Authorization: Bearer {KEY}"],
    [f"Authorization: Bearer {KEY}", "Accept: */*"],
    [f"Authorization: Bearer {KEY}", f"X-Api-Key: {FORGED}"],
    [f"Authorization: Bearer {FORGED}"],
    [f"Authorization: Bearer {TOKEN}"],
    ["Cookie: session=" + "a" * 20],
    ["X-Long: " + "a" * 900],
    [],
]
PATHS = [
    "/api/v1/credits",
    "/api/v1/generations/none",
    f"/api/v1/{FORGED}",
    f"/w/second/api/v1/generations/{KEY}",
    "/_mock/health",
]
RESET = "POST /_mock/worlds/default/reset"
REQUESTS = st.tuples(
    st.sampled_from([*(f"GET {path}" for path in PATHS), RESET]), st.sampled_from(HEADERS)
)


def spoken(start: str, headers: list[str]) -> bytes:
    lines = [f"{start} HTTP/1.1", "Host: localhost", "Content-Length: 0", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def served() -> ServerState:
    """With a second world, which does not know the key of the first one."""
    fake = make_server(settings_of(limits__journal_header_bytes=1000), lambda: START_MS)
    fake.worlds.make(WorldPlan("second"))
    return fake


def kept(fake: ServerState) -> list[Any]:
    return [
        (each.path, each.request_headers, each.answer_body, each.status)
        for name in ("default", "second")
        for each in fake.world(name).journal
    ]


@settings(max_examples=60, deadline=None)
@example([("GET /_mock/health", HEADERS[3]), (f"GET /api/v1/{FORGED}", HEADERS[3])])
@given(st.lists(REQUESTS, min_size=2, max_size=8))
def test_the_journal_is_the_same_for_one_connection_and_for_many(
    requests: list[tuple[str, list[str]]],
) -> None:
    pieces = [spoken(*each) for each in requests]
    one, many = served(), served()
    converse(pieces, make_app(one), known=KnownHeaders(1000))
    app = make_app(many)
    for piece in pieces:
        converse([piece], app)
    assert kept(one) == kept(many)
    assert FORGED not in str([headers for _, headers, *_ in kept(one)])
