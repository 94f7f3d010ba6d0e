"""HM110: a paid job is made anew because the download of its result broke."""

from collections.abc import Iterator

from mock_server.verdict.downloads import broke
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import PaidOnce, paid_again
from mock_server.verdict.outcomes import Outcome


def find(evidence: Evidence) -> Iterator[Outcome]:
    paid_once = PaidOnce(evidence)
    for create in evidence.creates:
        downloads = evidence.downloads_of(create.made or "")
        broken = next(filter(broke, downloads), None)
        if broken is not None:
            again = paid_once.again(create, after=broken)
            yield paid_again(evidence, [create, broken], again, download=broken.id)
