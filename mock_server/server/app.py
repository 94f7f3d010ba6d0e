"""The server as one ASGI app: the rooms below, hung on their paths."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.routing import Route, Router
from starlette.types import ASGIApp

from mock_server.apis.acedata.errors import AceDataVoice
from mock_server.apis.acedata.tasks import query_tasks
from mock_server.apis.acedata.videos import create_video
from mock_server.apis.rivya import webhooks
from mock_server.apis.rivya.credits import get_credits
from mock_server.apis.rivya.errors import RivyaVoice
from mock_server.apis.rivya.files import get_file, upload_file
from mock_server.apis.rivya.generations import create_generation, get_generation
from mock_server.apis.rivya.models import list_models
from mock_server.apis.rivya.openapi import get_openapi_document
from mock_server.door.routes import door_routes
from mock_server.edge import media
from mock_server.edge.call import Call
from mock_server.edge.cross_origin import CrossOrigin
from mock_server.edge.exchanges import Exchanges
from mock_server.edge.path_table import PathTable
from mock_server.edge.problems import ProblemVoice
from mock_server.edge.resource import Handler, Nothing, Resource, Voice
from mock_server.edge.unknown_paths import KnownPaths, unknown_world
from mock_server.simulation.state import Fake
from mock_server.simulation.worlds import DEFAULT_WORLD


def make_app(fake: Fake) -> ASGIApp:
    """The app that serves `fake`; what it holds is closed when the app's lifespan ends.

    A bare router: every resource answers for its own failures in its API's words, so the layers
    that an application puts around its routes to catch exceptions would catch nothing.
    """
    contract, settings = fake.contract, fake.settings
    rivya = RivyaVoice(contract, settings.rivya)
    acedata = AceDataVoice(contract, settings.acedata)
    plain = ProblemVoice()

    routes = [
        *_rivya_routes(rivya),
        *_acedata_routes(acedata),
        *_media_routes(plain),
        *door_routes(plain),
    ]
    voices: dict[str, Voice] = {voice.api: voice for voice in (rivya, acedata, plain)}
    known_paths = KnownPaths(route.path for route in routes)

    def voice_of(call: Call) -> tuple[Voice, str]:
        path = call.exchange.path
        wrong_world = unknown_world(path, (DEFAULT_WORLD, call.world.name))
        own_path = path if wrong_world is None else "/" + path.split("/", 3)[-1]
        voice = voices[_api_of(own_path, call)]
        hint = f"; {wrong_world}" if wrong_world else known_paths.hint(path)
        return voice, hint or _PATHS.get(voice.api, _PATHS[""])

    @asynccontextmanager
    async def lifespan(_: Router) -> AsyncIterator[None]:
        yield
        await fake.close()

    router = PathTable(
        routes,
        redirect_slashes=False,
        default=Nothing(voice_of),
        lifespan=lifespan,
    )
    app = Exchanges(router, fake)
    origins = fake.settings.browser_origins
    return CrossOrigin(app, origins) if origins else app


_PATHS = {
    "": "; Rivya's begin with /api/v1/, Ace Data Cloud's with /hailuo/, the page is at /_mock/",
    "acedata": "; POST /hailuo/videos and POST /hailuo/tasks are",
}
"""What is said of a path that nothing comes near."""


def _api_of(path: str, call: Call) -> str:
    """Whose style an unknown path is answered in: by its beginning, else by the key that came."""
    first, slash, _ = path.lstrip("/").partition("/")
    if first.startswith("hailuo"):
        return "acedata"
    if first == "api" and slash:
        return "rivya"
    if first in {"_mock", "media"}:
        return ""
    secret = call.credential[0]
    key = call.world.keys.get(secret)
    if key is not None:
        return "" if key.api == "other" else key.api
    return "rivya" if secret.startswith("rvya_sk_") else ""


def _rivya_routes(voice: Voice) -> list[Route]:
    all_ = "/api/v1/webhooks"
    one = all_ + "/{endpoint_id}"

    def managed(path: str, **handlers: Handler) -> Route:
        return Route(path, Resource(voice, "webhooks", **handlers))

    return [
        Route("/api/v1/generations/{task_id}", Resource(voice, "read", GET=get_generation)),
        Route("/api/v1/generations", Resource(voice, "create", POST=create_generation)),
        Route("/api/v1/models", Resource(voice, "models", GET=list_models)),
        Route("/api/v1/files", Resource(voice, "upload", POST=upload_file)),
        Route("/api/v1/files/{file_id}", Resource(voice, "read_file", GET=get_file)),
        Route("/api/v1/credits", Resource(voice, "credits", GET=get_credits)),
        Route("/api/v1/openapi.json", Resource(voice, "document", GET=get_openapi_document)),
        managed(all_, GET=webhooks.list_webhooks, POST=webhooks.create_webhook),
        managed(
            one,
            GET=webhooks.get_webhook,
            PATCH=webhooks.update_webhook,
            DELETE=webhooks.delete_webhook,
        ),
        managed(one + "/rotate-secret", POST=webhooks.rotate_secret),
        managed(one + "/deliveries", GET=webhooks.list_webhook_deliveries),
        managed(one + "/test", POST=webhooks.test_webhook),
        managed("/api/v1/webhook-events", GET=webhooks.list_webhook_events),
    ]


def _acedata_routes(voice: Voice) -> list[Route]:
    return [
        Route("/hailuo/videos", Resource(voice, "create", POST=create_video)),
        Route("/hailuo/tasks", Resource(voice, "read", POST=query_tasks)),
    ]


def _media_routes(voice: Voice) -> list[Route]:
    return [
        Route(
            "/media/{world}/files/{file_id}/{name}",
            Resource(voice, "media", media.situation_of_upload, GET=media.get_upload),
        ),
        Route(
            "/media/{world}/{name}",
            Resource(voice, "media", media.situation_of_result, GET=media.get_result),
        ),
    ]
