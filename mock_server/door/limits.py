"""How many things of a kind the control door makes in one world."""

from __future__ import annotations

from typing import Literal

from mock_server.core.refusals import Conflict
from mock_server.edge.call import Call

Kind = Literal["accounts", "faults", "fault_patterns", "fault_pointer_steps", "keys"]


def require_room(call: Call, kind: Kind, count: int) -> None:
    """Refuses with Conflict if the world is to have more of them than the setting allows."""
    limit: int = getattr(call.fake.settings.limits, kind)
    if count > limit:
        name = kind.replace("_", " ")
        raise Conflict(f"a world has at most {limit} {name} (limits.{kind}): this would be {count}")
