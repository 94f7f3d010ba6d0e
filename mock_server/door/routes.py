"""Every route of the control door. The server serves them, the OpenAPI document describes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.routing import Route

from mock_server.contract.violations import BodyRules
from mock_server.control import answers
from mock_server.control import history_answers as shown
from mock_server.control.judgement_answers import Judgement
from mock_server.door import (
    accounts,
    clock,
    deliveries,
    explanations,
    faults,
    history,
    inbox,
    judgements,
    metrics,
    page,
    requests,
    scenarios,
    search,
    server,
    snapshots,
    tasks,
    waits,
    watches,
    worlds,
)
from mock_server.door.gate import guarded
from mock_server.door.queries import NEWEST, Query
from mock_server.edge.long_body import LongBody
from mock_server.edge.resource import ErrorResponses, Handler, Resource
from mock_server.edge.typed_body import TypedBody

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


Body: TypeAlias = TypedBody[Any] | LongBody[Any] | BodyRules
"""A kind of body, with its JSON Schema."""


@dataclass(frozen=True)
class DoorRoute:
    """A method of a path.
    answer: the type of its JSON; None: not described. bodies: the kinds of bodies that it takes.
    may_lack_body: whether a request without a body is one with an empty object.
    is_open: needs no token. is_public: web pages of all origins may use it."""

    method: str
    path: str
    handler: Handler
    answer: Any = None
    bodies: Sequence[Body] = ()
    may_lack_body: bool = False
    query: Query[Any] | None = None
    is_open: bool = False
    is_public: bool = False
    description: str = "Done; the body is JSON."


_WORLD = "/_mock/worlds/{world}"
_CLOCK = _WORLD + "/clock"
_ACCOUNTS = _WORLD + "/accounts"
_ACCOUNT = _ACCOUNTS + "/{account}"
_LEDGER = _ACCOUNT + "/ledger"
_TASKS = _WORLD + "/tasks"
_JUDGEMENT = _WORLD + "/judgement"
_STORY = _TASKS + "/{task_id}/story"
_CHANGES = _WORLD + "/changes"
_FAULTS = _WORLD + "/faults"
_REQUESTS = _WORLD + "/requests"
_VERIFY = _REQUESTS + "/verify"
_SEARCH = _WORLD + "/search"
_DELIVERIES = _WORLD + "/deliveries"
_DELIVERY = _DELIVERIES + "/{delivery_id}"
_INBOX = _WORLD + "/inbox/{name}"


def table() -> list[DoorRoute]:
    """Every route, in the order of the documentation."""
    row = DoorRoute
    return [
        row("GET", "/_mock", page.redirect_to_page, is_open=True, description="A redirect."),
        row("GET", "/_mock/", page.show_page, is_open=True, description="A page in HTML."),
        row("GET", "/_mock/page/{name}", page.get_page_file, is_open=True, description="The file."),
        row("GET", "/_mock/health", server.health, is_open=True),
        row("GET", "/_mock/ready", server.ready, is_open=True),
        row("GET", "/_mock/version", server.version, answers.Version, is_open=True),
        row("GET", "/_mock/metrics", metrics.show_metrics, is_open=True, description="Text."),
        row("GET", "/_mock/openapi.json", server.openapi_document, is_open=True),
        row("GET", "/_mock/control.json", server.control_document, is_open=True),
        row("GET", "/_mock/scenarios", scenarios.list_scenarios, answers.ScenarioList),
        row("GET", "/_mock/scenarios/{name}", scenarios.get_scenario, answers.ScenarioWithCommands),
        row("GET", "/_mock/explain/{request_id}", explanations.explain, answers.Explanation),
        row("GET", "/_mock/worlds", worlds.list_worlds, answers.WorldList),
        row(
            "POST",
            "/_mock/worlds",
            worlds.make_world,
            answers.WorldFacts,
            [worlds.PLAN],
            may_lack_body=True,
        ),
        row("GET", _WORLD, worlds.get_world, answers.WorldFacts),
        row("DELETE", _WORLD, worlds.drop_world, answers.WorldFacts),
        row("GET", _WORLD + "/snapshot", snapshots.take_snapshot),
        row("PUT", _WORLD + "/snapshot", snapshots.put_snapshot, bodies=[snapshots.SNAPSHOT]),
        row("POST", _WORLD + "/reset", worlds.reset_world, answers.WorldFacts),
        row("GET", _CLOCK, clock.get_clock, answers.ClockState),
        row("PATCH", _CLOCK, clock.change_clock, answers.ClockState, [clock.CHANGE]),
        row("POST", _CLOCK + "/advance", clock.advance_clock, answers.Advanced, [clock.ADVANCE]),
        row("GET", _WORLD + "/due", clock.list_due, answers.DueList, query=clock.DUE),
        row("GET", _ACCOUNTS, accounts.list_accounts, answers.AccountList),
        row("POST", _ACCOUNTS, accounts.make_account, answers.Account, [accounts.ACCOUNT]),
        row("GET", _ACCOUNT, accounts.get_account, answers.Account),
        row("PATCH", _ACCOUNT, accounts.change_account, answers.Account, [accounts.CHANGE]),
        row("GET", _LEDGER, history.get_ledger, shown.AccountLedger, query=history.LEDGER),
        row("GET", _TASKS, tasks.list_tasks, answers.TaskList, query=NEWEST),
        row("GET", _TASKS + "/{task_id}", tasks.get_task, answers.Task),
        row("POST", _TASKS + "/{task_id}/finish", tasks.finish_task, answers.Task, [tasks.ENDING]),
        row(
            "GET",
            _TASKS + "/{task_id}/signed_request",
            deliveries.get_signed_request_of_task,
            answers.SentRequest,
            query=deliveries.SIGNED,
        ),
        row("GET", _STORY, history.get_story, shown.Story, query=history.STORY),
        row(
            "GET",
            _TASKS + "/{task_id}/scenario",
            scenarios.get_scenario_of_task,
            answers.TaskScenario,
        ),
        row("GET", _FAULTS, faults.list_faults, answers.FaultList),
        row("POST", _FAULTS, faults.add_fault, answers.FaultList, [faults.RULE, faults.SCENARIO]),
        row("DELETE", _FAULTS, faults.clear_faults, answers.FaultList),
        row("GET", _FAULTS + "/{fault_id}", faults.get_fault, answers.Fault),
        row("DELETE", _FAULTS + "/{fault_id}", faults.remove_fault, answers.Fault),
        row("GET", _REQUESTS, requests.list_requests, answers.Journal, query=requests.QUERY),
        row("DELETE", _REQUESTS, requests.clear_requests, answers.Journal),
        row("POST", _VERIFY, requests.verify_requests, answers.Verdict, [requests.EXPECTATION]),
        row("GET", _REQUESTS + "/{request_id}", requests.get_request, answers.Exchange),
        row(
            "POST",
            _JUDGEMENT,
            judgements.judge_world,
            Judgement,
            [judgements.ASKED],
            may_lack_body=True,
        ),
        row("GET", _WORLD + "/wait", waits.wait, watches.Found, query=waits.QUERY),
        row("GET", _CHANGES, history.list_changes, shown.Changes, query=history.CHANGES),
        row("GET", _SEARCH, search.search_world, answers.SearchResult, query=search.SEARCH),
        row("GET", _DELIVERIES, deliveries.list_deliveries, answers.DeliveryList, query=NEWEST),
        row("GET", _DELIVERY, deliveries.get_delivery, answers.Delivery),
        row(
            "GET",
            _DELIVERY + "/signed_request",
            deliveries.get_signed_request,
            answers.SentRequest,
        ),
        row("POST", _DELIVERY + "/redeliver", deliveries.redeliver, answers.Delivery),
        row("GET", _INBOX, inbox.read_inbox, answers.InboxContents),
        row("PUT", _INBOX, inbox.program_inbox, answers.InboxContents, [inbox.PROGRAM]),
        *(
            row(method, "/_mock/inbox/{world}/{name}", inbox.receive, is_open=True, is_public=True)
            for method in _METHODS
        ),
    ]


def door_routes(errors: ErrorResponses) -> list[Route]:
    """The routes of the table for Starlette, one a path."""
    paths: dict[str, dict[str, Handler]] = {}
    for row in table():
        handler = guarded(row.handler, needs_token=not row.is_open)
        paths.setdefault(row.path, {})[row.method] = row.handler if row.is_public else handler
    return [Route(path, Resource(errors, None, **handlers)) for path, handlers in paths.items()]
