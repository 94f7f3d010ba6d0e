"""What comes next in a world: states of tasks, attempts, and the ends of waits."""

from itertools import islice
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.responses import Response

from mock_server.control import answers
from mock_server.core.agenda import Due, Occasion
from mock_server.core.world import World
from mock_server.door.queries import Query
from mock_server.door.worlds import world_of
from mock_server.edge.call import Call, json_response
from mock_server.edge.timestamps import moment


class DueQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """task: only what concerns this task. limit: the first so many."""

    task: str | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 20


DUE: Query[DueQuery] = Query(DueQuery)


async def list_due(call: Call) -> Response:
    """GET /_mock/worlds/{world}/due: what comes next, in order. An advance of the clock to `at`
    makes it happen."""
    world, asked = world_of(call), DUE.read(call)
    upcoming = (_entry(world, due) for due in world.agenda)
    entries = (each for each in upcoming if each and asked.task in (None, each.task))
    return json_response(
        answers.DueList(moment(world.clock.now_ms()), tuple(islice(entries, asked.limit)))
    )


def _entry(world: World, due: Due) -> answers.DueEntry | None:
    """An entry as it is shown; None if it was moved to another time, or its subject has ended."""
    at, what, subject = moment(due.at_ms), due.occasion.value, due.subject
    if due.occasion is Occasion.ATTEMPT_DUE:
        delivery = world.deliveries.get(subject)
        if delivery is None or delivery.next_attempt_ms != due.at_ms:
            return None
        attempt = len(delivery.attempts) + 1
        return answers.DueEntry(at, what, subject, delivery.event.subject, attempt=attempt)
    task = world.tasks.get(subject)
    if task is None:
        return answers.DueEntry(at, what, subject)
    planned = task.planned
    is_taken_up = due.occasion is Occasion.TASK_TAKEN_UP
    expected_ms = planned.taken_up_ms if is_taken_up else planned.ends_ms
    if expected_ms != due.at_ms or not world.ledger.holds(subject):
        return None
    return answers.DueEntry(at, what, subject, subject, state=task.state_at(due.at_ms).value)
