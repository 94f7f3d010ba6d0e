"""Broken servers of Rivya that are right at the examples of the documents."""

from contract_tests.broken.subtle_rivya import (
    authority,
    endpoints,
    events,
    files,
    limits,
    money,
    replays,
    values,
)

__all__ = ["authority", "endpoints", "events", "files", "limits", "money", "replays", "values"]
