"""A server in front of the fake, with rules of its own, and a log of what came."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from contract_tests.receiver import HttpAnswer, LocalServer, ReceivedRequest, Respond

_NOT_FORWARDED = {"host", "content-length", "connection", "transfer-encoding", "accept-encoding"}
NOT_FOUND = (404, {"content-type": "application/json"}, b'{"error": {"code": "no_api"}}')


@dataclass
class Gateway(LocalServer):
    """Listens on loopback inside a `with` block.

    upstream: the URL of the fake; what no rule answers is forwarded to it, without the prefix.
    """

    upstream: str = ""
    prefix: str = ""
    rule: Respond = lambda _: None
    came: list[ReceivedRequest] = field(default_factory=list)
    answered: list[HttpAnswer] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self._respond)

    def _respond(self, came: ReceivedRequest) -> HttpAnswer:
        self.came.append(came)
        answer = self.rule(came) or self.forward(came)
        self.answered.append(answer)
        return answer

    @property
    def url(self) -> str:
        """The base URL, with the prefix."""
        return super().url + self.prefix

    def forward(self, came: ReceivedRequest) -> HttpAnswer:
        """The answer of the fake; 404 outside the prefix."""
        if not self.upstream or not came.path.startswith(f"{self.prefix}/"):
            return NOT_FOUND
        there: Any = urlsplit(self.upstream)
        connection = http.client.HTTPConnection(there.hostname, there.port, timeout=30)
        headers = {n: v for n, v in came.headers.items() if n not in _NOT_FORWARDED}
        path = came.path.removeprefix(self.prefix)
        connection.request(came.method, path, came.body, headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        kept = {n.lower(): v for n, v in answer.getheaders() if n.lower() not in _NOT_FORWARDED}
        return answer.status, kept, body

    def with_text(self, text: str) -> list[ReceivedRequest]:
        """The requests that have a text in their path, a header or the body."""
        return [
            each
            for each in self.came
            if text in " ".join([each.path, *each.headers.values()]) or text.encode() in each.body
        ]
