"""The server as one ASGI app: the rooms below, hung on their paths."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp

from mock_server import control, media
from mock_server.acedata.errors import AceDataVoice
from mock_server.acedata.tasks import query_tasks
from mock_server.acedata.videos import create_video
from mock_server.edge.exchanges import Exchanges
from mock_server.edge.resource import Nothing, Resource, Voice
from mock_server.fake import Fake
from mock_server.rivya import webhooks
from mock_server.rivya.credits import get_credits
from mock_server.rivya.errors import RivyaVoice
from mock_server.rivya.files import get_file, upload_file
from mock_server.rivya.generations import create_generation, get_generation
from mock_server.rivya.models import list_models
from mock_server.rivya.openapi import get_openapi_document


def make_app(fake: Fake) -> ASGIApp:
    """The app that serves `fake`; what it holds is closed when the app's lifespan ends.

    A bare router: every resource answers for its own failures in its API's words, so the layers
    that an application puts around its routes to catch exceptions would catch nothing.
    """
    contract, settings = fake.contract, fake.settings
    rivya = RivyaVoice(contract, settings.rivya)
    acedata = AceDataVoice(contract, settings.acedata)
    plain = control.ProblemVoice()

    def voice_of(path: str) -> tuple[Voice, str]:
        if path.startswith("//"):
            return voice_of("/" + path.lstrip("/"))[0], (
                "; it begins with two slashes: take the one at the end of the base URL away"
            )
        if path.startswith("/api/"):
            return rivya, ""
        if path.startswith("/hailuo"):
            return acedata, "; POST /hailuo/videos and POST /hailuo/tasks are"
        return plain, "; Rivya's begin with /api/v1/, Ace Data Cloud's with /hailuo/"

    @asynccontextmanager
    async def lifespan(_: Router) -> AsyncIterator[None]:
        yield
        await fake.close()

    router = Router(
        routes=[
            *_rivya_routes(rivya),
            *_acedata_routes(acedata),
            *_media_routes(plain),
            *_control_routes(plain),
            Route("/{path:path}", Nothing(voice_of)),
        ],
        redirect_slashes=False,
        lifespan=lifespan,
    )
    return Exchanges(router, fake)


def _rivya_routes(voice: Voice) -> list[BaseRoute]:
    all_ = "/api/v1/webhooks"
    one = all_ + "/{endpoint_id}"
    return [
        Route("/api/v1/generations/{task_id}", Resource(voice, GET=get_generation)),
        Route("/api/v1/generations", Resource(voice, POST=create_generation)),
        Route("/api/v1/models", Resource(voice, GET=list_models)),
        Route("/api/v1/files", Resource(voice, POST=upload_file)),
        Route("/api/v1/files/{file_id}", Resource(voice, GET=get_file)),
        Route("/api/v1/credits", Resource(voice, GET=get_credits)),
        Route("/api/v1/openapi.json", Resource(voice, GET=get_openapi_document)),
        Route(all_, Resource(voice, GET=webhooks.list_webhooks, POST=webhooks.create_webhook)),
        Route(
            one,
            Resource(
                voice,
                GET=webhooks.get_webhook,
                PATCH=webhooks.update_webhook,
                DELETE=webhooks.delete_webhook,
            ),
        ),
        Route(one + "/rotate-secret", Resource(voice, POST=webhooks.rotate_secret)),
        Route(one + "/deliveries", Resource(voice, GET=webhooks.list_webhook_deliveries)),
        Route(one + "/test", Resource(voice, POST=webhooks.test_webhook)),
        Route("/api/v1/webhook-events", Resource(voice, GET=webhooks.list_webhook_events)),
    ]


def _acedata_routes(voice: Voice) -> list[BaseRoute]:
    return [
        Route("/hailuo/videos", Resource(voice, POST=create_video)),
        Route("/hailuo/tasks", Resource(voice, POST=query_tasks)),
    ]


def _media_routes(voice: Voice) -> list[BaseRoute]:
    return [
        Route("/media/{world}/files/{file_id}/{name}", Resource(voice, GET=media.get_upload)),
        Route("/media/{world}/{name}", Resource(voice, GET=media.get_result)),
    ]


def _control_routes(voice: Voice) -> list[BaseRoute]:
    clock = "/_mock/worlds/{world}/clock"
    deliveries = "/_mock/worlds/{world}/deliveries"
    return [
        Route("/_mock/health", Resource(voice, GET=control.health)),
        Route("/_mock/ready", Resource(voice, GET=control.ready)),
        Route("/_mock/version", Resource(voice, GET=control.version)),
        Route("/_mock/openapi.json", Resource(voice, GET=control.openapi_document)),
        Route(clock, Resource(voice, GET=control.get_clock)),
        Route(clock + "/advance", Resource(voice, POST=control.advance_clock)),
        Route(deliveries, Resource(voice, GET=control.list_deliveries)),
        Route(deliveries + "/{delivery_id}", Resource(voice, GET=control.get_delivery)),
        Route(deliveries + "/{delivery_id}/redeliver", Resource(voice, POST=control.redeliver)),
    ]
