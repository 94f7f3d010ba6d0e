"""The ASGI app of one path: calls handlers, and answers refusals in the style of the API."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from mock_server.core.apis import Operation
from mock_server.core.refusals import MethodNotAllowed, RateLimited, Refusal, UnknownPath
from mock_server.core.scenarios import UnknownScenario
from mock_server.edge.call import AnswerReplaced, BodyAwaited, Call
from mock_server.edge.problems import problem

log = logging.getLogger(__name__)

Handler = Callable[[Call], Awaitable[Response]]


class ErrorResponses(Protocol):
    """Builds an API's error responses."""

    @property
    def api(self) -> str:
        """The name of the API; empty for paths that belong to none."""

    @property
    def statuses(self) -> Mapping[str, int | None]:
        """The status of each code of the API's error table, in its order; None if it has none."""

    def refuse(self, call: Call, refusal: Refusal) -> Response:
        """The answer for a refusal."""

    def internal_error(self, call: Call) -> Response:
        """The answer when the server itself is broken."""

    def error(
        self, call: Call, code: str, message: str | None, retry_after: str | None
    ) -> Response:
        """The answer with this code, for a fault: no rule was broken.
        retry_after: the value of the header."""


class FaultyExchange(Protocol):
    """Answers a request that has faults."""

    async def run(self, handle: Handler, answer: Handler, send: Send) -> None:
        """Answer the request, or leave it without an answer.
        handle: the handler, which raises refusals. answer: the same, with refusals as answers."""


FindMisbehaviour = Callable[[Call, ErrorResponses, Operation, bytes | None], FaultyExchange | None]
"""Finds the faults of a request, from its body if that is known; None if there are none. Raises
UnknownScenario."""


class Resource:
    """An ASGI app for one path. HEAD is answered like GET; the server drops the body."""

    def __init__(
        self,
        errors: ErrorResponses,
        operation: Operation | None = None,
        find_misbehaviour: FindMisbehaviour | None = None,
        /,
        **handlers: Handler,
    ) -> None:
        """handlers: by method: `Resource(errors, "credits", GET=show)`.
        operation: its name in faults; None if it has none. find_misbehaviour: finds its faults."""
        self._errors = errors
        self._operation = operation
        self._find_misbehaviour = find_misbehaviour
        self._allowed = tuple(sorted(handlers))
        self._handlers = handlers | ({"HEAD": handlers["GET"]} if "GET" in handlers else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, unless its caller has disconnected."""
        call = Call(scope, receive)
        call.exchange.api, call.exchange.operation = self._errors.api, self._operation
        call.allowed = self._allowed
        try:
            if scope["is_crowded"]:
                raise _too_many_under_way(call)
            misbehaviour = None
            if self._operation is not None and self._find_misbehaviour is not None:
                body = None
                if call.exchange.method == "POST" and self._reads_body_first(call):
                    await call.receive_body("body_bytes")
                    body = call.body_if_within_limit()
                misbehaviour = self._find_misbehaviour(call, self._errors, self._operation, body)
            if misbehaviour is None:
                response = await self._answer(call)
                await response(scope, receive, send)
            else:
                await misbehaviour.run(lambda call: self._handler(call)(call), self._answer, send)
        except Refusal as refusal:  # too many requests, or the world was dropped during a delay
            _note(call, refusal)
            await self._errors.refuse(call, refusal)(scope, receive, send)
        except UnknownScenario as unknown:
            await _refuse_unknown(call, unknown)(scope, receive, send)
        except ClientDisconnect:
            pass
        finally:
            for file in call.files:
                file.close()
            if call.claimed is not None:
                call.world.idempotency.mark_answered(call.claimed)

    def _reads_body_first(self, call: Call) -> bool:
        """Whether the body of a POST is read before the handler is called, because faults may
        depend on it. Requests without a known key or without JSON are refused before anything is
        read."""
        return (
            self._operation in _BODY_FIRST
            and call.world.keys.get(call.credential[0]) is not None
            and call.says_json
        )

    async def _answer(self, call: Call) -> Response:
        """The handler's answer. A handler that needs the body is called again after the body has
        been read, so that it uses the state of that time.
        An API's request whose world is gone is refused with ShuttingDown: it must not change
        another world. Requests to the control door name their world."""
        try:
            handler = self._handler(call)
            if self._operation is not None:
                call.require_world()
            try:
                return await handler(call)
            except BodyAwaited as awaited:
                await awaited.read()
            if self._operation is not None:
                call.require_world()
            return await handler(call)
        except Refusal as refusal:
            _note(call, refusal)
            return self._errors.refuse(call, refusal)
        except (ClientDisconnect, AnswerReplaced):
            raise
        except Exception:
            path = call.world.keys.redaction.text(call.exchange.path)
            log.exception("%s %s broke the server", call.exchange.method, path)
            return self._errors.internal_error(call)

    def _handler(self, call: Call) -> Handler:
        method = call.exchange.method
        handler = self._handlers.get(method)
        if handler is None:
            allowed = ", ".join(self._allowed)
            raise MethodNotAllowed(f"{method} is not for this path; {allowed} is")
        return handler


_NOTED_CHARS = 4096

_BODY_FIRST = frozenset[Operation]({"create", "read"})
"""Operations whose faults may depend on the body."""


class NotFoundApp:
    """An ASGI app for unknown paths, which answers in the style of the probable API."""

    def __init__(self, find_errors: Callable[[Call], tuple[ErrorResponses, str]]) -> None:
        """find_errors: the error responses for a request, and a hint. May raise UnknownScenario."""
        self._find_errors = find_errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with the refusal UnknownPath; a browser at / goes to
        the page, which the second origin does not have."""
        call = Call(scope, receive)
        is_of_apis = call.exchange.origin == "api"
        if (
            is_of_apis
            and call.exchange.path == "/"
            and "text/html" in (call.header(b"accept") or "")
        ):
            await RedirectResponse("_mock/", 307)(scope, receive, send)
            return
        try:
            errors, hint = self._find_errors(call)
        except UnknownScenario as unknown:
            await _refuse_unknown(call, unknown)(scope, receive, send)
            return
        refusal = UnknownPath(f"nothing is at this path{hint}")
        _note(call, refusal)
        await errors.refuse(call, refusal)(scope, receive, send)


def _refuse_unknown(call: Call, unknown: UnknownScenario) -> Response:
    """The server's own answer for an unknown scenario, the same for all APIs."""
    _note(call, unknown)
    return problem(call, 400, str(unknown))


def _note(call: Call, refusal: Exception) -> None:
    call.exchange.refusal = f"{type(refusal).__name__}: {refusal}"[:_NOTED_CHARS]


def _too_many_under_way(call: Call) -> RateLimited:
    limit = call.server.settings.limits.held_requests
    sentence = f"{limit} requests have no answer yet, and no more may wait (limits.held_requests)"
    return RateLimited(sentence, retry_after_s=1)
