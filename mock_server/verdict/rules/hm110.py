"""HM110: a paid job is made anew because the download of its result broke."""

from collections.abc import Iterator

from mock_server.verdict.downloads import broke, downloads_of
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import PaidOnce, credits_of
from mock_server.verdict.outcomes import CLEAN, Found, Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    paid_once = PaidOnce(evidence)
    for create in evidence.creates:
        task_id = create.made
        if task_id is None:
            continue
        broken = [each for each in downloads_of(evidence, task_id) if broke(each)]
        if not broken:
            continue
        again = paid_once.again(create, broken[0])
        if not again:
            yield CLEAN
            continue
        yield Found(
            {"download": broken[0].id, "second": again[0].id, "paid": task_id},
            (create.id, broken[0].id, *(each.id for each in again)),
            again[0].made,
            credits_of(evidence, again),
        )
