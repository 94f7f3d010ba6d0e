"""Every route of the control door: what is on which path, and what may be sent there.

One table: the server hangs its handlers up by it, and the door's OpenAPI document is read off it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.routing import Route

from mock_server.door import (
    accounts,
    clock,
    deliveries,
    explanations,
    faults,
    inbox,
    page,
    queries,
    requests,
    scenarios,
    server,
    snapshots,
    tasks,
    waits,
    worlds,
)
from mock_server.door.gate import guarded
from mock_server.edge.resource import Handler, Resource, Voice

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Described(Protocol):
    """A kind of body that can say what it looks like."""

    @property
    def schema(self) -> Mapping[str, Any]:
        """Its JSON Schema, whole in itself."""


@dataclass(frozen=True)
class DoorRoute:
    """A path of the door.

    handlers: by method. bodies: what a method takes, one of these. queries: what may stand in a
    method's query. is_open: needs no token where the door has one. is_public: a web page of any
    origin may ask for it. answers: what it answers with when all is well.
    """

    path: str
    handlers: Mapping[str, Handler]
    bodies: Mapping[str, Sequence[Described]] = field(default_factory=dict)
    queries: Mapping[str, Described] = field(default_factory=dict)
    is_open: bool = False
    is_public: bool = False
    answers: str = "Done; the body is JSON."


_WORLD = "/_mock/worlds/{world}"


def table() -> list[DoorRoute]:
    """Every route, in the order of the documentation."""
    return [
        DoorRoute(
            "/_mock",
            {"GET": page.lead_to_page},
            is_open=True,
            answers="The page, behind a redirect.",
        ),
        DoorRoute("/_mock/", {"GET": page.show_page}, is_open=True, answers="A page in HTML."),
        DoorRoute(
            "/_mock/page/{name}", {"GET": page.get_page_file}, is_open=True, answers="The file."
        ),
        DoorRoute("/_mock/health", {"GET": server.health}, is_open=True),
        DoorRoute("/_mock/ready", {"GET": server.ready}, is_open=True),
        DoorRoute("/_mock/version", {"GET": server.version}, is_open=True),
        DoorRoute("/_mock/openapi.json", {"GET": server.openapi_document}, is_open=True),
        DoorRoute("/_mock/control.json", {"GET": server.control_document}, is_open=True),
        DoorRoute("/_mock/scenarios", {"GET": scenarios.list_scenarios}),
        DoorRoute("/_mock/scenarios/{name}", {"GET": scenarios.get_scenario}),
        DoorRoute("/_mock/explain/{request_id}", {"GET": explanations.explain}),
        DoorRoute(
            "/_mock/worlds",
            {"GET": worlds.list_worlds, "POST": worlds.make_world},
            {"POST": [worlds.PLAN]},
        ),
        DoorRoute(_WORLD, {"GET": worlds.get_world, "DELETE": worlds.drop_world}),
        DoorRoute(
            _WORLD + "/snapshot",
            {"GET": snapshots.take_snapshot, "PUT": snapshots.put_snapshot},
            {"PUT": [snapshots.SNAPSHOT]},
        ),
        DoorRoute(_WORLD + "/reset", {"POST": worlds.reset_world}),
        DoorRoute(
            _WORLD + "/clock",
            {"GET": clock.get_clock, "PATCH": clock.change_clock},
            {"PATCH": [clock.CHANGE]},
        ),
        DoorRoute(
            _WORLD + "/clock/advance",
            {"POST": clock.advance_clock},
            {"POST": [clock.ADVANCE]},
        ),
        DoorRoute(
            _WORLD + "/accounts",
            {"GET": accounts.list_accounts, "POST": accounts.make_account},
            {"POST": [accounts.ACCOUNT]},
        ),
        DoorRoute(
            _WORLD + "/accounts/{account}",
            {"GET": accounts.get_account, "PATCH": accounts.change_account},
            {"PATCH": [accounts.CHANGE]},
        ),
        DoorRoute(_WORLD + "/tasks", {"GET": tasks.list_tasks}, queries={"GET": queries.NEWEST}),
        DoorRoute(_WORLD + "/tasks/{task_id}", {"GET": tasks.get_task}),
        DoorRoute(
            _WORLD + "/tasks/{task_id}/finish",
            {"POST": tasks.finish_task},
            {"POST": [tasks.ENDING]},
        ),
        DoorRoute(
            _WORLD + "/faults",
            {
                "GET": faults.list_faults,
                "POST": faults.add_fault,
                "DELETE": faults.clear_faults,
            },
            {"POST": [faults.RULE, faults.SCENARIO]},
        ),
        DoorRoute(
            _WORLD + "/faults/{fault_id}",
            {"GET": faults.get_fault, "DELETE": faults.remove_fault},
        ),
        DoorRoute(
            _WORLD + "/requests",
            {"GET": requests.list_requests, "DELETE": requests.clear_requests},
            queries={"GET": requests.QUERY},
        ),
        DoorRoute(
            _WORLD + "/requests/verify",
            {"POST": requests.verify_requests},
            {"POST": [requests.EXPECTATION]},
        ),
        DoorRoute(_WORLD + "/requests/{request_id}", {"GET": requests.get_request}),
        DoorRoute(_WORLD + "/wait", {"GET": waits.wait}, queries={"GET": waits.QUERY}),
        DoorRoute(
            _WORLD + "/deliveries",
            {"GET": deliveries.list_deliveries},
            queries={"GET": queries.NEWEST},
        ),
        DoorRoute(_WORLD + "/deliveries/{delivery_id}", {"GET": deliveries.get_delivery}),
        DoorRoute(_WORLD + "/deliveries/{delivery_id}/redeliver", {"POST": deliveries.redeliver}),
        DoorRoute(
            _WORLD + "/inbox/{name}",
            {"GET": inbox.read_inbox, "PUT": inbox.program_inbox},
            {"PUT": [inbox.PROGRAM]},
        ),
        DoorRoute(
            "/_mock/inbox/{world}/{name}",
            dict.fromkeys(_METHODS, inbox.receive),
            is_open=True,
            is_public=True,
        ),
    ]


def door_routes(voice: Voice) -> list[Route]:
    """The table, hung up."""
    return [Route(row.path, Resource(voice, None, **_handlers(row))) for row in table()]


def _handlers(row: DoorRoute) -> dict[str, Handler]:
    if row.is_public:
        return dict(row.handlers)
    return {
        method: guarded(handler, needs_token=not row.is_open)
        for method, handler in row.handlers.items()
    }
