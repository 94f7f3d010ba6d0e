"""Rivya's paths."""

from mock_server.apis.api import ApiRoute
from mock_server.apis.rivya import webhooks
from mock_server.apis.rivya.credits import get_credits
from mock_server.apis.rivya.files import get_file, upload_file
from mock_server.apis.rivya.generations import create_generation, get_generation
from mock_server.apis.rivya.models import list_models
from mock_server.apis.rivya.openapi import get_openapi_document

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
