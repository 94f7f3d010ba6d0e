"""Rivya's paths, and the handlers of those that only show what is there."""

import asyncio

from starlette.responses import Response

from mock_server.apis.api import ApiRoute
from mock_server.apis.rivya import gate, response_bodies, webhooks
from mock_server.apis.rivya.files import get_file, upload_file
from mock_server.apis.rivya.generations import create_generation, get_generation
from mock_server.edge.call import Call, json_response


async def get_credits(call: Call) -> Response:
    """GET /api/v1/credits: the available credits, without those reserved for running tasks."""
    key = gate.admit(call, "credits:read")
    available = call.world.ledger.balance(key.account).available_credits
    return json_response({"current_credits": available})


async def list_models(call: Call) -> Response:
    """GET /api/v1/models: no key is needed, and a key that is sent is not checked."""
    gate.require_api(call)
    entries = [response_bodies.model(model) for model in call.server.contract.catalog.of("rivya")]
    return json_response({"object": "list", "data": entries})


async def get_openapi_document(call: Call) -> Response:
    """GET /api/v1/openapi.json: the contract of this API only."""
    gate.require_api(call)
    contract = call.server.contract
    return json_response(await asyncio.to_thread(contract.document_of, call.base_url, "/api/v1"))


_WEBHOOK = "/api/v1/webhooks/{endpoint_id}"

ROUTES = (
    ApiRoute("/api/v1/generations/{task_id}", "read", {"GET": get_generation}),
    ApiRoute("/api/v1/generations", "create", {"POST": create_generation}),
    ApiRoute("/api/v1/models", "models", {"GET": list_models}),
    ApiRoute("/api/v1/files", "upload", {"POST": upload_file}),
    ApiRoute("/api/v1/files/{file_id}", "read_file", {"GET": get_file}),
    ApiRoute("/api/v1/credits", "credits", {"GET": get_credits}),
    ApiRoute("/api/v1/openapi.json", "document", {"GET": get_openapi_document}),
    ApiRoute(
        "/api/v1/webhooks",
        "webhooks",
        {"GET": webhooks.list_webhooks, "POST": webhooks.create_webhook},
    ),
    ApiRoute(
        _WEBHOOK,
        "webhooks",
        {
            "GET": webhooks.get_webhook,
            "PATCH": webhooks.update_webhook,
            "DELETE": webhooks.delete_webhook,
        },
    ),
    ApiRoute(_WEBHOOK + "/rotate-secret", "webhooks", {"POST": webhooks.rotate_secret}),
    ApiRoute(_WEBHOOK + "/deliveries", "webhooks", {"GET": webhooks.list_webhook_deliveries}),
    ApiRoute(_WEBHOOK + "/test", "webhooks", {"POST": webhooks.test_webhook}),
    ApiRoute("/api/v1/webhook-events", "webhooks", {"GET": webhooks.list_webhook_events}),
)
