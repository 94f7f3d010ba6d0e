"""Entries of the history as the control door shows them."""

from typing import Any, get_args

from mock_server.control import history_answers as shown
from mock_server.control.answers import answer_of
from mock_server.core import history_entries as entries
from mock_server.core.history_entries import Change
from mock_server.core.story import LooksEntry, StoryEntry
from mock_server.core.twins import TwinEntry
from mock_server.core.world import World
from mock_server.edge.timestamps import moment, moment_or_none

_KINDS: dict[str, type[shown.HistoryEntry]] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(shown.StoryEntry | shown.Change)
}
"""What shows an entry has the same tag as the entry."""
_OF_DOOR = "fault_"
"""The beginning of the ids of faults that were set through the control door."""


def type_of(entry: Change | StoryEntry) -> str:
    """The name of its type, as in JSON."""
    if isinstance(entry, entries.RequestEnded) and entry.operation == "media":
        return "download"
    return str(entry.__struct_config__.tag)


def entry_answer(
    world: World,
    entry: Change | StoryEntry,
    kind: type[shown.HistoryEntry] | None = None,
    **others: Any,
) -> shown.HistoryEntry:
    """An entry with times as text and links. kind: None: that of its type."""
    return answer_of(
        kind or _KINDS[type_of(entry)],
        entry,
        at=moment(entry.at_ms),
        wall_at=moment_or_none(entry.wall_ms),
        links=_links(f"/_mock/worlds/{world.name}", entry),
        **({"why": None, "is_odd": False} | _changed(entry) | others),
    )


def _changed(entry: Change | StoryEntry) -> dict[str, Any]:
    """The fields that are shown differently."""
    match entry:
        case entries.RequestEnded() | entries.AttemptEnded():
            return {
                "ended_at": moment_or_none(entry.ended_ms),
                "ended_wall_at": moment_or_none(entry.ended_wall_ms),
            }
        case entries.LedgerEntry():
            return {
                "amount": entry.amount_credits,
                "change": entry.change_credits,
                "available": entry.available_credits,
            }
        case entries.ClockMove():
            return {"to": moment(entry.to_ms)}
        case TwinEntry():
            return {"apart_s": entry.apart_ms / 1000}
        case LooksEntry(looks=looks):
            return {
                "last_at": moment(looks.last_ms),
                "last_wall_at": moment(looks.last_wall_ms),
                "count": looks.count,
                "failed": looks.failed,
                "after_end": looks.after_end,
                "shortest_gap_s": _seconds(looks.shortest_gap_ms),
                "shortest_gap_wall_s": _seconds(looks.shortest_gap_wall_ms),
            }
    return {}


def _links(world: str, entry: Change | StoryEntry) -> dict[str, str]:
    links = {
        name: f"{world}/{place}/{subject}"
        for name, place in (("request", "requests"), ("delivery", "deliveries"))
        if (subject := getattr(entry, name, None)) is not None
    }
    fault = getattr(entry, "fault", None) or ""
    if fault.startswith(_OF_DOOR):
        links["fault"] = f"{world}/faults/{fault}"
    if (task := getattr(entry, "task", None)) is not None:
        links["task"] = f"{world}/tasks/{task}"
    if (twin := getattr(entry, "twin", None)) is not None:
        links["twin"] = f"{world}/tasks/{twin}"
    return links


def _seconds(wait_ms: int | None) -> float | None:
    return None if wait_ms is None else wait_ms / 1000
