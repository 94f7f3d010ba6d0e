"""Limits on the number of accounts, keys and faults in one world."""

from collections.abc import Mapping, Sequence
from typing import Literal

from mock_server.config.settings import LimitSettings
from mock_server.core.faults import FaultRule, patterns, pointer_steps
from mock_server.core.refusals import Conflict, Invalid
from mock_server.core.snapshot import Snapshot
from mock_server.edge.call import Call

Kind = Literal["accounts", "faults", "fault_patterns", "fault_pointer_steps", "keys"]


def require_room(call: Call, kind: Kind, count: int) -> None:
    """Refuses with Conflict if this count is above the setting."""
    limit: int = getattr(call.server.settings.limits, kind)
    if count > limit:
        name = kind.replace("_", " ")
        raise Conflict(f"a world has at most {limit} {name} (limits.{kind}): this would be {count}")


def counts_of_faults(rules: Sequence[FaultRule]) -> Mapping[Kind, int]:
    """The limited counts of the faults of a world. Each request may be matched against all."""
    return {
        "faults": len(rules),
        "fault_patterns": sum(map(patterns, rules)),
        "fault_pointer_steps": sum(map(pointer_steps, rules)),
    }


def require_within_limits(snapshot: Snapshot, limits: LimitSettings) -> None:
    """Refuses with Invalid a snapshot of a world with more than this server's settings allow."""
    rules = [fault.rule for fault in snapshot.faults.faults]
    counted: list[tuple[str, Kind, int]] = [
        ("/keys", "keys", len(snapshot.keys)),
        ("/ledger/accounts", "accounts", len(snapshot.ledger.accounts)),
        *(("/faults/faults", kind, count) for kind, count in counts_of_faults(rules).items()),
    ]
    for place, kind, count in counted:
        limit: int = getattr(limits, kind)
        if count > limit:
            name = kind.replace("_", " ")
            raise Invalid.at(place, "limit", f"has {count} {name}; at most {limit} (limits.{kind})")
