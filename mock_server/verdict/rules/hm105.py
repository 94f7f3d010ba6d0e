"""HM105: one idempotency key is used for different jobs."""

from collections.abc import Iterator

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import maker_of_key
from mock_server.verdict.outcomes import CLEAN, Found, Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    keyed = [each for each in evidence.creates if each.key is not None]
    prompts = {each.prompt for each in keyed}
    for create in keyed:
        first = maker_of_key(evidence, create)
        if first is not None and create.made is None and first.prompt != create.prompt:
            yield Found(
                {"first": first.id, "second": create.id, "key": create.key},
                (first, create),
                first.made,
            )
        elif len(prompts) > 1:
            yield CLEAN
