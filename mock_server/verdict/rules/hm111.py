"""HM111: an error on a look is taken for the end of the job."""

from collections.abc import Iterator

from mock_server.verdict.answers import is_passing_error
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.orders import PaidOnce, paid_again
from mock_server.verdict.outcomes import CLEAN, Outcome
from mock_server.verdict.silence import given_up_at


def find(evidence: Evidence) -> Iterator[Outcome]:
    paid_once = PaidOnce(evidence)
    for create in evidence.creates:
        looks = evidence.about(create.made or "")
        troubled = next(
            (each for each in looks if each.is_look and is_passing_error(evidence, each)), None
        )
        if troubled is None:
            continue
        again = paid_once.again(create, after=troubled)
        if again:
            yield paid_again(evidence, [create, troubled], again, look=troubled.id)
        elif troubled.code and troubled.status != 429:  # what else is silence has rules of its own
            yield from given_up_at(evidence, [troubled], _GIVEN_UP)
        else:
            yield CLEAN


_GIVEN_UP = (
    "Look {first} was answered {status}; the client ended without another look at task {task}, "
    "which runs and is paid for: {credits} credits are lost."
)
