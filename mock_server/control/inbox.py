"""Calls that read and program an inbox of the server."""

from mock_server.control.answers import InboxContents, Received, WorldFacts
from mock_server.control.transport import (
    AsyncTransport,
    Caller,
    ClientMethod,
    Json,
    Request,
    RequestFlow,
    Transport,
    step,
)


class InboxCalls(Caller):
    """The calls of an inbox. url: the address to give as a callback URL."""

    def __init__(self, transport: Transport | AsyncTransport, facts: WorldFacts, name: str) -> None:
        super().__init__(transport, f"/_mock/worlds/{step(facts.name)}/inbox/{step(name)}")
        self.name = name
        self.url = f"{facts.plain_base_url}/_mock/inbox/{step(facts.name)}/{step(name)}"

    @ClientMethod
    def requests(self) -> RequestFlow[list[Received]]:
        """The requests in the inbox, the oldest first."""
        return list((yield Request("GET", self._path)).read(InboxContents).requests)

    @ClientMethod
    def contents(self) -> RequestFlow[InboxContents]:
        """The requests in the inbox, the number of deleted ones, and the planned answers."""
        return (yield Request("GET", self._path)).read(InboxContents)

    @ClientMethod
    def program(self, *answers: int | Json) -> RequestFlow[InboxContents]:
        """Set the answers to the next requests and replace earlier ones. Later requests get 200.

        A status, or `{"status": 500, "times": 2}`, `{"hang": True}`, `{"delay_s": 3}`,
        `{"cut": True}`, with `headers` and `body`.
        """
        planned = [{"status": each} if isinstance(each, int) else each for each in answers]
        return (yield Request("PUT", self._path, {"answers": planned})).read(InboxContents)
