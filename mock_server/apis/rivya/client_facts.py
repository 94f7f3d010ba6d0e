"""What Rivya's documents ask of clients."""

from mock_server.core.apis import ClientFacts

CLIENT_FACTS = ClientFacts(
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
)
