"""Passes on the requests of the own shard, and refuses those of the other processes."""

from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.core.counts import Counts
from mock_server.core.shards import ShardMarks, name_of, shard_of_world
from mock_server.edge.problems import problem_at
from mock_server.edge.request_headers import headers_of

_NAMES_ITS_WORLD = ("/w/", "/media/", "/_mock/worlds/", "/_mock/inbox/")


class OwnShard:
    """ASGI middleware. The answer to a request of another shard is 421, the same for all APIs: the
    proxy made a mistake, and not the client. Such a request is in no journal; it is counted."""

    def __init__(self, app: ASGIApp, marks: ShardMarks, counts: Counts) -> None:
        self._app = app
        self._marks = marks
        self._own = f"/w/{marks.shard.name}/"
        self._counts = counts.requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it. The name of the own shard is removed from its path."""
        app = self._app
        if scope["type"] == "http":
            if scope["path"].startswith(self._own):
                scope["path"] = scope["path"][len(self._own) - 1 :]
            number = shard_of_request(scope["path"], headers_of(scope).secret, self._marks)
            if number != self._marks.shard.number:
                self._counts["", None, 421] += 1
                sentence = str(self._marks.other(number))
                app = problem_at(scope["path"], 421, sentence, members={"shard": name_of(number)})
        await app(scope, receive, send)


def shard_of_request(path: str, secret: str, marks: ShardMarks) -> int:
    """The number of the shard that a request belongs to, as a proxy finds it.

    The world in the path decides; without one, the key. Without both, the control door answers for
    its own process, and everything else belongs to the default world, which is of shard 0.
    secret: the key that was sent; a scenario may follow it.
    """
    beginning = next(filter(path.startswith, _NAMES_ITS_WORLD), None)
    name = path[len(beginning) :].partition("/")[0] if beginning else ""
    if name:
        return shard_of_world(name)
    number = marks.shard_of_key(secret)
    if number is not None:
        return number
    is_of_process = path in {"/", "/_mock"} or path.startswith("/_mock/")
    return marks.shard.number if is_of_process else 0
