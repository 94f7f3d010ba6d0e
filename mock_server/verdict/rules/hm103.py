"""HM103: a repeated create has the same key and another body."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import maker_of_key
from mock_server.verdict.outcomes import CLEAN, Found, Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    for create in evidence.creates:
        first = maker_of_key(evidence, create)
        if first is None or create.made is not None or first.prompt != create.prompt:
            continue
        if first.body == create.body:
            yield CLEAN
            continue
        yield Found(
            {"first": first.id, "second": create.id, "key": create.key},
            (first, create),
            first.made,
        )
