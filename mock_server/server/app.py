"""The server as one ASGI app: every route on its path."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial

from starlette.routing import Route, Router
from starlette.types import ASGIApp

from mock_server.apis import ALL
from mock_server.apis.api import VendorApi
from mock_server.edge import media
from mock_server.edge.call import Call
from mock_server.edge.cross_origin import CrossOrigin
from mock_server.edge.exchanges import Exchanges
from mock_server.edge.own_shard import OwnShard
from mock_server.edge.path_table import PathTable
from mock_server.edge.problems import ProblemErrors
from mock_server.edge.resource import ErrorResponses, NotFoundApp, Resource
from mock_server.edge.unknown_paths import KnownPaths, unknown_world
from mock_server.faults.misbehaviour import find_misbehaviour
from mock_server.faults.plan import require_known_scenarios
from mock_server.simulation.state import ServerState
from mock_server.simulation.worlds import DEFAULT_WORLD


def make_app(server: ServerState, apis: Sequence[VendorApi] = ALL) -> ASGIApp:
    """The app that serves `server`, and closes it when the app's lifespan ends.
    It is a router without middleware for errors, because resources raise no exceptions."""
    plain = ProblemErrors()
    errors_of: dict[str, ErrorResponses] = {
        api.name: api.errors(server.contract, server.settings) for api in apis
    }
    routes = [
        *(
            Route(row.path, Resource(errors, row.operation, find_misbehaviour, **row.handlers))
            for api, errors in zip(apis, errors_of.values(), strict=True)
            for row in api.routes
        ),
        *_media_routes(plain),
    ]
    media_app = PathTable(
        _media_routes(plain),
        redirect_slashes=False,
        default=NotFoundApp(lambda _: (plain, "; this origin has media only, and no API")),
    )

    @cache
    def routes_of_door() -> list[Route]:
        from mock_server.door.routes import door_routes  # as slow as half a start

        return door_routes(plain)

    prefixes = [api.prefix for api in apis]
    known_paths = KnownPaths(
        lambda: (route.path for route in (*routes, *routes_of_door())), prefixes
    )

    def find_errors(call: Call) -> tuple[ErrorResponses, str]:
        path = call.exchange.path
        wrong_world = unknown_world(path, (DEFAULT_WORLD, call.world.name))
        own_path = path if wrong_world is None else "/" + path.split("/", 3)[-1]
        api = _api_meant(own_path, call, apis)
        errors = plain if api is None else errors_of[api.name]
        require_known_scenarios(call, errors)
        hint = f"; {wrong_world}" if wrong_world else known_paths.hint(path)
        return errors, hint or (api and api.hint) or _hint(apis)

    @asynccontextmanager
    async def lifespan(_: Router) -> AsyncIterator[None]:
        await server.begin()
        yield
        await server.close()

    router = PathTable(
        routes,
        "/_mock",
        routes_of_door,
        redirect_slashes=False,
        default=NotFoundApp(find_errors),
        lifespan=lifespan,
    )
    app: ASGIApp = Exchanges(router, media_app, server, prefixes)
    if server.worlds.marks is not None:
        app = OwnShard(app, server.worlds.marks, server.counts)
    origins = server.settings.browser_origins
    return CrossOrigin(app, origins) if origins else app


def _hint(apis: Sequence[VendorApi]) -> str:
    """The hint for an unknown path without a similar known path."""
    prefixes = ", ".join(f"{api.title}'s with {api.prefix}/" for api in apis)
    return f"; {prefixes.replace(' with ', ' begin with ', 1)}, the page is at /_mock/"


def _api_meant(path: str, call: Call, apis: Sequence[VendorApi]) -> VendorApi | None:
    """The API whose errors answer an unknown path: found by its beginning, else by the key."""
    for api in apis:
        if f"/{path.lstrip('/')}".startswith(api.own_paths):
            return api
    if path.lstrip("/").partition("/")[0] in {"_mock", "media"}:
        return None
    secret = call.credential[0]
    key = call.world.keys.get(secret)
    if key is not None:
        return next((api for api in apis if api.name == key.api), None)
    looks_like = (api for api in apis if api.key_prefix and secret.startswith(api.key_prefix))
    return next(looks_like, None)


def _media_routes(errors: ErrorResponses) -> list[Route]:
    of_upload = partial(find_misbehaviour, downloaded=media.fault_target_of_upload)
    of_result = partial(find_misbehaviour, downloaded=media.fault_target_of_result)
    return [
        Route(
            "/media/{world}/files/{file_id}/{name}",
            Resource(errors, "media", of_upload, GET=media.get_upload),
        ),
        Route("/media/{world}/{name}", Resource(errors, "media", of_result, GET=media.get_result)),
    ]
