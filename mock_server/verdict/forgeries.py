"""Events that no receiver should believe, and whether the client acted on them."""

from collections.abc import Callable, Iterator, Set
from itertools import pairwise

from mock_server.verdict.events import times_acted
from mock_server.verdict.evidence import ON_ITS_WAY_MS, Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome
from mock_server.verdict.requests import Request
from mock_server.verdict.sent import Sent

_SOON_MS = 100
"""Requests so soon after an event are caused by it."""

_QUICK_MS = 500
"""Real time in which a receiver looks, fetches and answers, unless the machine is busy."""

_PACE = 0.7
"""A look after this share of the usual pause may be one that was due."""

_ONLY_ACCEPTED = (
    "Event {event} about task {task} was {how}; the receiver answered {status}. Whether the client "
    "acted on it is not known."
)


def expects_signature(evidence: Evidence, sent: Sent) -> bool:
    """Whether the receiver should have got a good signature: the API signs all events, or this
    one was signed with the secret that the create gave."""
    if evidence.client_facts(sent.event.api).signs_events:
        return True
    return sent.event.secret is not None and sent.fault.signed_with != "nothing"


def believed(evidence: Evidence, is_wrong: Callable[[Sent], bool]) -> Iterator[Outcome]:
    """For each such event that reached the client's receiver, whether the client acted on it.

    An answer 2xx alone is a note without counts of what the client did."""
    for sent in evidence.sent:
        if not sent.was_answered or not is_wrong(sent):
            continue
        if not sent.was_accepted:
            yield CLEAN
            continue
        task_id = sent.event.subject
        requests = _caused(evidence, sent)
        acted = bool(requests) or _acted_unprompted(evidence, task_id)
        if not acted and evidence.readings:
            yield CLEAN
            continue
        yield Found(
            {"event": sent.event.id, "status": sent.attempt.status, "how": _how(sent)},
            requests,
            task_id if task_id in evidence.tasks else None,
            is_note=not acted,
            sentence=None if acted else _ONLY_ACCEPTED,
        )


def _caused(evidence: Evidence, sent: Sent) -> list[Request]:
    """The looks and downloads that the event caused: those about its task that began while it was
    being answered, or at once after it, and earlier than the client's pace would let expect; and
    the downloads of a client that nothing else had told of the end."""
    began_ms, ended_ms = sent.attempt.started_wall_ms, sent.attempt.ended_wall_ms
    task_id = sent.event.subject
    about = evidence.about(task_id)
    if began_ms is None or ended_ms is None:
        return []
    # While an event is answered for long, a look may come by itself.
    until_ms = ended_ms if ended_ms - began_ms <= _QUICK_MS else began_ms
    at_once = [each for each in about if began_ms <= each.started_wall_ms <= until_ms + _SOON_MS]
    if at_once and _may_be_due(evidence, sent, at_once[0]):
        at_once = []
    later = [each for each in about if each.is_download and each.started_wall_ms >= began_ms]
    return at_once or ([] if task_id in _ends_known(evidence) else later)


def _may_be_due(evidence: Evidence, sent: Sent, look: Request) -> bool:
    """Whether the client may have looked at this time without the event: by the pauses that it made
    before, here or in the quiet run."""
    task_id = sent.event.subject
    before = _asked_before(evidence, task_id, sent.attempt.started_wall_ms)
    pauses_ms = [later - earlier for earlier, later in pairwise(before)]
    quiet = evidence.control
    if quiet is not None:
        for each in quiet.tasks:
            told_ms = min(
                (one.attempt.started_wall_ms or 0 for one in quiet.sent_about(each)), default=None
            )
            pauses_ms += [b - a for a, b in pairwise(_asked_before(quiet, each, told_ms))]
    if not before or not pauses_ms:
        return False
    return look.started_wall_ms - before[-1] + ON_ITS_WAY_MS >= _PACE * min(pauses_ms)


def _asked_before(evidence: Evidence, task_id: str, wall_ms: int | None) -> list[int]:
    """When the client ordered a task and asked about it before this time, by the machine's clock;
    None: ever."""
    orders = [evidence.maker_of[task_id]] if task_id in evidence.maker_of else []
    asked = [each.started_wall_ms for each in (*orders, *evidence.about(task_id))]
    return [each for each in asked if wall_ms is None or each < wall_ms]


def _ends_known(evidence: Evidence) -> Set[str]:
    """The tasks of whose end a look or a true event told the client, so that it may act."""
    return evidence.tasks_told.keys() | evidence.ends_told.keys()


def _acted_unprompted(evidence: Evidence, task_id: str) -> bool:
    """Whether the client acted more often than it had been told of an end."""
    known = _ends_known(evidence)
    return task_id not in known and times_acted(evidence) > len(known)


def _how(sent: Sent) -> str:
    fault = sent.fault
    if fault.signed_with == "nothing":
        return "unsigned"
    if fault.signed_with == "wrong":
        return "signed with a secret that is not yours"
    if fault.altered:
        return "changed after it had been signed"
    when = "ago" if fault.signed_s < 0 else "in the future"
    return f"signed {abs(fault.signed_s):g} s {when}"
