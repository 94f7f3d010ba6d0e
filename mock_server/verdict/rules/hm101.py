"""HM101: a create is sent again without a key after its answer was lost."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import WithKey, paid_after_loss, paid_again
from mock_server.verdict.outcomes import Outcome
from mock_server.verdict.requests import Request

_LIBRARY_MS = 100
_BY_LIBRARY = (
    "The HTTP library repeated the POST by itself on a dead connection: switch that off.",
    "Or send an Idempotency-Key with each create, where the API has one.",
)
_WITHOUT_KEYS = (
    "This API has no idempotency key: do not send a create again if its answer was lost.",
    "Give a callback URL, so that the id of the first task arrives; then ask for that task.",
)


def _without_key(lost: Request) -> WithKey:
    """Any repeat of a create without a key, and one without a key of any create."""
    return None if lost.key is None else False


def find(evidence: Evidence) -> Iterator[Outcome]:
    for lost, again in paid_after_loss(evidence, _without_key):
        facts = evidence.client_facts(lost.exchange.api)
        fix = None if facts.has_idempotency_keys else _WITHOUT_KEYS
        was_reset = lost.exchange.ended_by == "reset_by_fault"
        if again and was_reset and again[0].started_wall_ms - lost.ended_wall_ms <= _LIBRARY_MS:
            fix = _BY_LIBRARY
        yield paid_again(evidence, [lost], again, fix=fix)
