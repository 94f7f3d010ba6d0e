"""Scenarios: named groups of faults."""

from msgspec import Struct

from mock_server.core.faults import FaultRule


class UnknownScenario(Exception):
    """There is no scenario with this name. The message names similar ones."""


class Scenario(Struct, frozen=True):
    """A scenario from the file of its name. shows: what a client sees, in a sentence."""

    name: str
    shows: str
    apis: tuple[str, ...]
    faults: tuple[FaultRule, ...]
