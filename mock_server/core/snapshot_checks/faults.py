"""Faults: their ids and counts, and the JSON values in their rules."""

import re
from itertools import product

from mock_server.core.effects import DeliveryFault
from mock_server.core.field_edits import FieldEdits
from mock_server.core.json_values import numbered
from mock_server.core.refusals import Violation
from mock_server.core.snapshot_checks.document import Document, Violations, all_faults, too_low

_NUMBER = re.compile("[1-9][0-9]{0,14}")
_SOURCES = {"/faults": "fault", "/default_faults": "default"}


def faults(document: Document) -> Violations:
    """Faults with an id, a count or a value that no world could have made."""
    for place, group in all_faults(document.snapshot):
        if group.source != (source := _SOURCES.get(place, group.source)):
            yield Violation(f"{place}/source", "const", f"must be '{source}'")
        last = 0
        for each, fault in numbered(f"{place}/faults", group.faults):
            number = _NUMBER.fullmatch(fault.id.removeprefix(f"{group.source}_"))
            if number is None or not fault.id.startswith(f"{group.source}_"):
                sentence = f"must be '{group.source}_' and a number"
                yield Violation(f"{each}/id", "pattern", sentence)
            else:
                last = max(last, int(number[0]))
            if fault.matched < fault.happened:
                yield too_low(f"{each}/matched", fault.happened)
            yield from document.unreadable(f"{each}/rule/match", fault.rule.match.answer)
            if isinstance(effect := fault.rule.effect, FieldEdits):
                yield from document.unreadable(f"{each}/rule/effect", effect.set)
            if isinstance(effect, DeliveryFault):
                yield from document.unreadable(f"{each}/rule/effect", effect.extra_fields)
        if group.made < last:
            yield too_low(f"{place}/made", last)


def counts(document: Document) -> Violations:
    """Faults whose counts by account add up to more than their total."""
    for place, faults in all_faults(document.snapshot):
        for (at, fault), name in product(
            numbered(f"{place}/faults", faults.faults), ("matched", "happened")
        ):
            counted = sum(getattr(each, name) for each in fault.by_account.values())
            if counted > getattr(fault, name):
                yield too_low(f"{at}/{name}", counted)
