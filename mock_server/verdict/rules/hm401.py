"""HM401: a download that was cut is taken for a whole one."""

from collections.abc import Iterator

from mock_server.verdict.downloads import is_cut, is_whole
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome, Unclear


def find(evidence: Evidence) -> Iterator[Outcome]:
    whole = [each.number for each in evidence.requests if each.is_download and is_whole(each)]
    for task_id in evidence.tasks:
        downloads = evidence.downloads_of(task_id)
        cut = next((each for each in downloads if is_cut(each)), None)
        if cut is None:
            continue
        # Another video in its place shows that the client saw the cut.
        if downloads[-1] is not cut or any(map(is_whole, downloads)) or whole[-1:] > [cut.number]:
            yield CLEAN
        elif evidence.run.ended_by != "itself":
            yield Unclear("whether the client had ended by itself after the cut download")
        elif evidence.run.exit_code != 0:
            yield CLEAN
        else:
            yield Found({"download": cut.id, "sent": cut.exchange.sent_bytes}, [cut], task_id)
