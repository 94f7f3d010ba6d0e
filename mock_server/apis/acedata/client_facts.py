"""What Ace Data Cloud's documents ask of clients."""

from mock_server.core.apis import ClientFacts

CLIENT_FACTS = ClientFacts(
    no_credits=frozenset({"used_up"}),
    refused_key=frozenset(
        {"no_token", "invalid_token", "token_expired", "token_mismatched", "disabled"}
    ),
    refused_body=frozenset({"bad_request", "forbidden"}),
    unknown_task=frozenset({"task_not_found"}),
    pause_between_looks_s=1.0,  # faster than once a second draws 429; advised are 5 to 10 s
    acknowledged_within_s=10.0,
    state_at=("/response/state", "/response/data/0/state", "/data/0/state"),
    states=frozenset({"succeeded"}),
    url_at=("/response/data/0/video_url", "/data/0/video_url"),
)
