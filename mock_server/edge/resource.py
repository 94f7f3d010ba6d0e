"""One path: a handler for each of its methods, and a refusal in the API's words for the rest."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from mock_server.core.faults import Operation
from mock_server.core.refusals import MethodNotAllowed, RateLimited, Refusal, UnknownPath
from mock_server.edge.call import AnswerReplaced, BodyAwaited, Call
from mock_server.edge.problems import problem
from mock_server.faults.misbehaviour import Misbehaviour
from mock_server.faults.plan import Downloaded, FaultPlan, plan_for, require_known
from mock_server.faults.scenarios import UnknownScenario

log = logging.getLogger(__name__)

Handler = Callable[[Call], Awaitable[Response]]


class Voice(Protocol):
    """How an API says no."""

    @property
    def api(self) -> str:
        """The name of the API whose voice it is; empty for what belongs to no vendor."""

    @property
    def statuses(self) -> Mapping[str, int | None]:
        """The status of each code of the API's error table, in its order; None if it has none."""

    def refuse(self, call: Call, refusal: Refusal) -> Response:
        """The answer for a refusal."""

    def break_down(self, call: Call) -> Response:
        """The answer for a fault of the server itself."""

    def error(
        self, call: Call, code: str, message: str | None, retry_after_s: int | None
    ) -> Response:
        """The answer with this code, though no rule wants it."""


class Resource:
    """An ASGI app for one path. HEAD is answered like GET; the server drops the body."""

    def __init__(
        self,
        voice: Voice,
        operation: Operation | None = None,
        downloaded: Downloaded | None = None,
        /,
        **handlers: Handler,
    ) -> None:
        """`handlers` by method: `Resource(voice, "credits", GET=show)`.

        operation: what faults know it by; None if nothing goes wrong with it on purpose.
        downloaded: for what belongs to no API by its path, whose it is.
        """
        self._voice = voice
        self._operation = operation
        self._downloaded = downloaded
        self._allowed = tuple(sorted(handlers))
        self._handlers = handlers | ({"HEAD": handlers["GET"]} if "GET" in handlers else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a caller who has hung up gets nothing."""
        call = Call(scope, receive)
        call.exchange.api, call.exchange.operation = self._voice.api, self._operation
        call.allowed = self._allowed
        try:
            if scope["is_crowded"]:
                await self._refuse(call, _too_many_under_way(call), send)
                return
            plan = None
            if self._operation is not None:
                body = await call.read_body("body_bytes") if self._is_peeked(call) else None
                plan = plan_for(call, self._voice, self._operation, body, self._downloaded)
            if plan is None:
                response = await self._answer(call)
                await response(scope, receive, send)
            else:
                await self._misbehave(plan, call, send)
        except UnknownScenario as unknown:
            await _refuse_unknown(call, unknown)(scope, receive, send)
        except ClientDisconnect:
            pass
        finally:
            for file in call.files:
                file.close()
            if call.claimed is not None:
                call.world.idempotency.answered(call.claimed)

    def _is_peeked(self, call: Call) -> bool:
        """Whether faults are told what is in the body before anybody asks for it.

        Whoever has no key, or says to send no JSON, is refused before anything is read.
        """
        return (
            self._operation in _PEEKED
            and call.exchange.method == "POST"
            and call.world.keys.get(call.credential[0]) is not None
            and call.says_json
        )

    async def _misbehave(self, plan: FaultPlan, call: Call, send: Send) -> None:
        misbehaviour = Misbehaviour(plan, call, self._voice, send)
        try:
            await misbehaviour.run(lambda call: self._handler(call)(call), self._answer)
        except Refusal as refusal:  # the world is gone while the request was held up
            await self._refuse(call, refusal, send)

    async def _refuse(self, call: Call, refusal: Refusal, send: Send) -> None:
        _note(call, refusal)
        await self._voice.refuse(call, refusal)(call.scope, call.receive, send)

    async def _answer(self, call: Call) -> Response:
        try:
            return await self._handled(call)
        except Refusal as refusal:
            _note(call, refusal)
            return self._voice.refuse(call, refusal)
        except (ClientDisconnect, AnswerReplaced):
            raise
        except Exception:
            path = call.world.keys.redaction.text(call.exchange.path)
            log.exception("%s %s broke the server", call.exchange.method, path)
            return self._voice.break_down(call)

    async def _handled(self, call: Call) -> Response:
        """What the handler answers. One that needs a body which has not come is called again when
        it has, so that it looks at the world as it is then."""
        handler = self._handler(call)
        try:
            self._require_world(call)
            return await handler(call)
        except BodyAwaited as awaited:
            await awaited.read()
        self._require_world(call)
        return await handler(call)

    def _require_world(self, call: Call) -> None:
        """Refuses with ShuttingDown a vendor's request whose world is gone: it must not show up in
        another one. The control door names its world each time."""
        if self._operation is not None:
            call.require_world()

    def _handler(self, call: Call) -> Handler:
        method = call.exchange.method
        handler = self._handlers.get(method)
        if handler is None:
            allowed = ", ".join(self._allowed)
            raise MethodNotAllowed(f"{method} is not for this path; {allowed} is", self._allowed)
        return handler


_NOTED_CHARS = 4096

_PEEKED = frozenset[Operation]({"create", "read"})
"""Operations whose faults may depend on what is in the body."""


class Nothing:
    """An ASGI app for paths that lead nowhere; each prefix has its voice."""

    def __init__(self, voice_of: Callable[[Call], tuple[Voice, str]]) -> None:
        """`voice_of`: for a request, who says that there is nothing, and a hint."""
        self._voice_of = voice_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with the refusal UnknownPath; a browser at / goes to the page."""
        call = Call(scope, receive)
        if call.exchange.path == "/" and "text/html" in (call.header(b"accept") or ""):
            await RedirectResponse("_mock/", 307)(scope, receive, send)
            return
        voice, hint = self._voice_of(call)
        try:
            require_known(call, voice)
        except UnknownScenario as unknown:
            await _refuse_unknown(call, unknown)(scope, receive, send)
            return
        refusal = UnknownPath(f"nothing is at this path{hint}")
        _note(call, refusal)
        await voice.refuse(call, refusal)(scope, receive, send)


def _refuse_unknown(call: Call, unknown: UnknownScenario) -> Response:
    """A name nobody knows is the fake's own matter, in no vendor's words."""
    _note(call, unknown)
    return problem(call, 400, str(unknown))


def _note(call: Call, refusal: Exception) -> None:
    """Keep with the exchange which rule said no, and its sentence."""
    call.exchange.refusal = f"{type(refusal).__name__}: {refusal}"[:_NOTED_CHARS]


def _too_many_under_way(call: Call) -> RateLimited:
    limit = call.fake.settings.limits.held_requests
    sentence = f"{limit} requests have no answer yet, and no more may wait (limits.held_requests)"
    return RateLimited(sentence, retry_after_s=1)
