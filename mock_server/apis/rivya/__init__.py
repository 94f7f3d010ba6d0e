"""Rivya's API: request and response bodies, errors, order of checks."""

from typing import get_args

from mock_server.apis.api import VendorApi, WebhookCalls
from mock_server.apis.rivya.errors import rivya_errors
from mock_server.apis.rivya.events import Events
from mock_server.apis.rivya.ids import KINDS
from mock_server.apis.rivya.routes import ROUTES
from mock_server.apis.rivya.schema import document_schemas, uploads
from mock_server.apis.rivya.settings import RivyaSettings
from mock_server.core.apis import ClientFacts, Operation
from mock_server.core.ids import plain_task_id

RIVYA = VendorApi(
    name="rivya",
    title="Rivya",
    short_title="Rivya",
    prefix="/api/v1",
    own_paths="/api/",
    settings=RivyaSettings,
    account="rivya-test",
    key="rvya_sk_test",
    has_scopes=True,
    key_prefix="rvya_sk_",
    create_path="/api/v1/generations",
    create_body={"model": "hailuo-pro", "prompt": "A lighthouse at dusk"},
    operations=get_args(Operation),
    task_id=plain_task_id,
    id_kinds=KINDS,
    signs_time=True,
    has_endpoints=True,
    of_clients=ClientFacts(
        has_idempotency_keys=True,
        no_credits=frozenset({"insufficient_credits"}),
        refused_key=frozenset(
            {
                "api_key_missing",
                "api_key_invalid",
                "api_key_revoked",
                "api_key_expired",
                "api_scope_denied",
            }
        ),
        refused_body=frozenset({"validation_failed", "webhook_url_rejected"}),
        used_key=frozenset({"idempotency_conflict"}),
        unknown_task=frozenset({"not_found"}),
        pause_between_looks_s=2.0,  # the first after 2 to 3 s, then every 5 to 10 s
        acknowledged_within_s=5.0,  # assumed: the documents say "short timeout"
        signs_events=True,
        state_at=("/status",),
        states=frozenset({"queued", "processing", "succeeded", "failed"}),
        url_at=("/result/primary_url", "/result/urls/0"),
    ),
    names_events=True,
    errors=rivya_errors,
    routes=ROUTES,
    lifetimes=lambda settings: settings.of(RivyaSettings).lifetimes,
    event_writer=lambda settings: Events(settings.of(RivyaSettings)),
    document_schemas=document_schemas,
    uploads=uploads,
    gone_disables=lambda settings: settings.of(RivyaSettings).gone_disables,
    webhook_calls=WebhookCalls(
        create_path="/api/v1/webhooks",
        create_body={"event_types": ["generation.succeeded", "generation.failed"]},
        rotate_path="/api/v1/webhooks/{id}/rotate-secret",
        shows="signing_secret",
    ),
)
