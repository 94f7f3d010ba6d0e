"""A look-up by path finds the app that Starlette's router finds."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.edge.path_table import PathTable

PATHS = ["/", "/a", "/a/", "/a/b", "/a/{x}", "/a/{x}/c", "/{y}", "/a/{x}/{z}", "/b/{x}", "/a/{w}"]
STEPS = st.sampled_from(["a", "b", "c", "", "é", "a b", "%2F", "{x}"])


class Named:
    """An app that answers its name and the parameters of the path."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["found"] = (self.name, scope.get("path_params", {}))


def found(app: ASGIApp, path: str, root_path: str) -> Any:
    scope = {"type": "http", "method": "GET", "path": path, "root_path": root_path, "headers": []}

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    asyncio.run(app(scope, nothing, nothing))  # type: ignore[arg-type]
    return scope["found"]


@given(st.lists(STEPS, max_size=4), st.sampled_from(["", "/a"]))
def test_the_table_finds_what_the_router_finds(steps: list[str], root_path: str) -> None:
    routes = [Route(path, Named(path)) for path in PATHS]
    none = Named("none")
    path = "/" + "/".join(steps)
    expected = found(Router(routes, redirect_slashes=False, default=none), path, root_path)
    table = PathTable(routes, redirect_slashes=False, default=none)
    assert found(table, path, root_path) == expected
