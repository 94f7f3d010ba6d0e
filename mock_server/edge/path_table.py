"""A router that looks paths up: matching patterns one by one costs more than the answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

_LAST_STEP = re.compile(r"([^{}]*)/\{(\w+)\}")


class PathTable(Router):
    """Starlette's router with a look-up before it, for paths that vary in their last step at most.

    Of two routes for one path the first counts, as in Starlette.
    """

    def __init__(self, routes: Sequence[Route], **options: Any) -> None:
        """`options`: as of Starlette's Router."""
        super().__init__(routes=routes, **options)
        self._fixed: dict[str, ASGIApp] = {}
        self._by_parent: dict[str, tuple[ASGIApp, str]] = {}
        for route in routes:
            if "{" not in route.path:
                self._fixed.setdefault(route.path, route.app)
            elif varied := _LAST_STEP.fullmatch(route.path):
                self._by_parent.setdefault(varied[1], (route.app, varied[2]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand one request to the app of its path."""
        found = self._find(scope) if scope["type"] == "http" and not scope["root_path"] else None
        if found is None:
            await super().__call__(scope, receive, send)
        else:
            app, scope["path_params"] = found
            await app(scope, receive, send)

    def _find(self, scope: Scope) -> tuple[ASGIApp, dict[str, str]] | None:
        path: str = scope["path"]
        app = self._fixed.get(path)
        if app is not None:
            return app, {}
        parent, _, last = path.rpartition("/")
        varied = self._by_parent.get(parent)
        if varied is None or not last:
            return None
        app, name = varied
        return app, {name: last}
