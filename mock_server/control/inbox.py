"""An inbox of the fake's own, read and programmed from outside."""

from __future__ import annotations

from mock_server.control.answers import InboxContents, Received, WorldFacts
from mock_server.control.wire import (
    AsyncLine,
    Awaited,
    Call,
    Described,
    Line,
    Question,
    Steps,
    Waiting,
    step,
)


class _InboxCalls:
    """What both kinds of inbox can do. url: where callbacks are to be sent."""

    def __init__(self, facts: WorldFacts, name: str) -> None:
        self.name = name
        self.url = f"{facts.plain_base_url}/_mock/inbox/{step(facts.name)}/{step(name)}"
        self._path = f"/_mock/worlds/{step(facts.name)}/inbox/{step(name)}"

    @Call
    def requests(self) -> Steps[list[Received]]:
        """What came, the oldest first."""
        return list((yield Question("GET", self._path)).read(InboxContents).requests)

    @Call
    def contents(self) -> Steps[InboxContents]:
        """What came, how much of it is no longer kept, and the answers that are planned."""
        return (yield Question("GET", self._path)).read(InboxContents)

    @Call
    def program(self, *answers: int | Described) -> Steps[InboxContents]:
        """The answers to the next requests, in place of those planned before; then 200 again.

        A status, or `{"status": 500, "times": 2}`, `{"hang": True}`, `{"delay_s": 3}`,
        `{"cut": True}`, with `headers` and `body`.
        """
        planned = [{"status": each} if isinstance(each, int) else each for each in answers]
        return (yield Question("PUT", self._path, {"answers": planned})).read(InboxContents)


class Inbox(_InboxCalls, Waiting):
    """A receiver of callbacks."""

    def __init__(self, line: Line, facts: WorldFacts, name: str) -> None:
        super().__init__(facts, name)
        self._line = line


class AsyncInbox(_InboxCalls, Awaited):
    """A receiver of callbacks."""

    def __init__(self, line: AsyncLine, facts: WorldFacts, name: str) -> None:
        super().__init__(facts, name)
        self._line = line
