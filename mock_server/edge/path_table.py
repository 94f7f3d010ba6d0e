"""A router that looks paths up in a table, which is faster than matching patterns one by one."""

import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

_LAST_STEP = re.compile(r"([^{}]*)/\{(\w+)\}")


class PathTable(Router):
    """Starlette's router with a table for paths that are fixed or vary in their last step.
    If two routes have one path, the first is used, as in Starlette."""

    def __init__(
        self,
        routes: Sequence[Route],
        late_prefix: str = "",
        late_routes: Callable[[], Sequence[Route]] = tuple,
        **options: Any,
    ) -> None:
        """`options`: as of Starlette's Router. late_routes: makes the routes of the paths that
        begin with `late_prefix`; called once, for the first request to one of them."""
        super().__init__(**options)
        self._fixed: dict[str, ASGIApp] = {}
        self._by_parent: dict[str, tuple[ASGIApp, str]] = {}
        self._late_prefix, self._late_routes = late_prefix, late_routes
        self._add(routes)

    def _add(self, routes: Sequence[Route]) -> None:
        self.routes += routes
        for route in routes:
            if "{" not in route.path:
                self._fixed.setdefault(route.path, route.app)
            elif varied := _LAST_STEP.fullmatch(route.path):
                self._by_parent.setdefault(varied[1], (route.app, varied[2]))

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """Call the app of the request's path."""
        found = self._find(scope) if scope["type"] == "http" and not scope["root_path"] else None
        if found is None and self._late_prefix and self._late_prefix in scope.get("path", ""):
            self._late_prefix = ""
            self._add(self._late_routes())
            return self(scope, receive, send)
        if found is None:
            return super().__call__(scope, receive, send)
        app, scope["path_params"] = found
        running: Coroutine[Any, Any, None] = app(scope, receive, send)  # type: ignore[assignment]
        return running

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
