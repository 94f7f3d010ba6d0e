"""Events that a client learned of more than once, and whether it acted more than once."""

from collections.abc import Iterable, Iterator
from itertools import chain, groupby, pairwise
from typing import NamedTuple

from mock_server.verdict.downloads import is_whole
from mock_server.verdict.events import acts_wanted, times_acted
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.outcomes import CLEAN, Found, Outcome, Unclear
from mock_server.verdict.sent import Sent

_FETCHED_TWICE = (
    "Event {event} about task {task} came to the client more than once, and it downloaded the "
    "video more than once."
)


class Repetition(NamedTuple):
    """An event that the receiver accepted at this attempt first, about a task of whose end the
    client learned so many times."""

    sent: Sent
    times: int


def repeats(evidence: Evidence) -> Iterator[Repetition]:
    """The true events that the receiver accepted at the first attempt, and then once more, one
    after the other."""
    for sent in _accepted_by_event(evidence):
        if len(sent) > 1 and not _overlap(sent) and not _failed_before(evidence, sent[0]):
            yield Repetition(sent[0], len(sent))


def copies_at_once(evidence: Evidence) -> Iterator[Repetition]:
    """The true events of which the receiver accepted copies that came at the same moment."""
    for sent in _accepted_by_event(evidence):
        if _overlap(sent):
            yield Repetition(sent[0], len(sent))


def retries(evidence: Evidence) -> Iterator[Repetition]:
    """The true events that reached the receiver, were not accepted, and were accepted later."""
    for sent in _accepted_by_event(evidence):
        earlier = _failed_before(evidence, sent[0])
        if earlier and not _overlap(sent):
            yield Repetition(sent[0], len(earlier) + len(sent))


def told_twice(evidence: Evidence) -> Iterator[Repetition]:
    """The tasks whose end was told by a look and by one event."""
    several = chain(repeats(evidence), copies_at_once(evidence), retries(evidence))
    repeated = {each.sent.event.subject for each in several}
    for task_id, sent in evidence.tasks_told.items():
        if task_id not in repeated and task_id in evidence.ends_told:
            yield Repetition(sent[0], 2)


def acted_too_often(evidence: Evidence, repeated: Iterable[Repetition]) -> Iterator[Outcome]:
    """For each repetition, whether the client acted more often than tasks have ended.
    Without counts, more than one whole download is a note."""
    acted, wanted = times_acted(evidence), acts_wanted(evidence)
    for sent, times in repeated:
        whole = [
            each
            for each in evidence.downloads_of(sent.event.subject)
            if is_whole(each) and each.status == 200 and each.range is None
        ]
        if evidence.readings and acted <= wanted:
            yield CLEAN
        elif not evidence.readings and len(whole) < 2:
            yield Unclear("no counts of how often the client acted (effects)")
        else:
            yield Found(
                {"event": sent.event.id, "times": times, "acted": acted, "wanted": wanted},
                whole,
                sent.event.subject,
                is_note=not evidence.readings,
                sentence=None if evidence.readings else _FETCHED_TWICE,
            )


def _accepted_by_event(evidence: Evidence) -> Iterator[list[Sent]]:
    """The accepted true attempts with each event at each receiver, in order."""
    accepted = [each for sent in evidence.tasks_told.values() for each in sent]

    def place(sent: Sent) -> tuple[str, str]:
        return sent.event.id, sent.delivery.receiver

    for _, group in groupby(sorted(accepted, key=place), key=place):
        yield sorted(group, key=lambda each: each.attempt.started_ms)


def _failed_before(evidence: Evidence, accepted: Sent) -> list[Sent]:
    """The attempts at the same delivery that had reached the receiver and were not accepted."""
    return [
        each
        for each in evidence.sent_about(accepted.event.subject)
        if each.delivery.id == accepted.delivery.id
        and each.attempt.started_ms < accepted.attempt.started_ms
        and each.reached
        and each.is_genuine
    ]


def _overlap(sent: list[Sent]) -> bool:
    """Whether any attempt began before the one before it had ended."""
    return any(
        later.attempt.started_ms < (earlier.attempt.ended_ms or 0)
        or later.attempt.started_ms == earlier.attempt.started_ms
        for earlier, later in pairwise(sent)
    )
