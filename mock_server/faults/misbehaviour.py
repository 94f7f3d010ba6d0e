"""Applies the faults of a request: delays, other answers, changed bodies, broken connections."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct, field
from starlette.responses import Response
from starlette.types import Message, Scope, Send

from mock_server.core.apis import Operation
from mock_server.core.clock import Clock
from mock_server.core.effects import (
    AnswerFault,
    BodyFault,
    ConnectionFault,
    DelayFault,
    ErrorFault,
    When,
    WithRetryAfter,
)
from mock_server.core.faults import Fault
from mock_server.core.journal import Cause
from mock_server.core.refusals import DryRunEnded, Refusal
from mock_server.edge.call import AnswerReplaced, Call
from mock_server.edge.connection import transport_of
from mock_server.edge.resource import ErrorResponses, Handler
from mock_server.edge.timestamps import http_date
from mock_server.faults.plan import Downloaded, FaultPlan, plan_for
from mock_server.outgoing.broken_connections import reset, trickling

EndingFault = ErrorFault | AnswerFault | ConnectionFault


class CollectedAnswer(Struct):
    """An answer, collected instead of sent."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)

    async def take(self, message: Message) -> None:
        """Add an ASGI message to the answer."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")

    @property
    def document(self) -> Any:
        """The value of the body; None if it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def set_header(self, name: bytes, value: str) -> None:
        """Set this header, once, to this value."""
        self.headers = [each for each in self.headers if each[0].lower() != name]
        self.headers.append((name, value.encode("latin-1", "replace")))


class Misbehaviour:
    """Answers one request with the faults of its plan."""

    def __init__(self, plan: FaultPlan, call: Call, errors: ErrorResponses) -> None:
        self._plan = plan
        self._call = call
        self._errors = errors
        self._committed: list[Fault] | None = None

    async def run(self, handle: Handler, answer: Handler, send: Send) -> None:
        """Answer the request, or leave it without an answer.
        handle: the handler, which raises refusals. answer: the same, with refusals as answers."""
        self._send = send
        ending, _ = await self._apply(self._matches("before"))
        if ending is not None:
            if self._allows_dry_run:
                self._call.exchange.without = dry_run_answer(self._call, self._errors, handle)
            await self._end(ending, CollectedAnswer())
            return
        collected = CollectedAnswer()
        self._call.on_committed = self._replace_answer
        try:
            response = await answer(self._call)
        except AnswerReplaced:
            self._call.exchange.without = "accepted"
            ending, _ = await self._apply(self._committed or [])
            if ending is not None:
                await self._end(ending, collected)
            return
        await response(self._call.scope, self._no_more, collected.take)
        without = _short_form(collected.status, collected.body)
        ending, bodies = await self._apply(self._matches_after(collected.document))
        if self._call.exchange.faults:
            self._call.exchange.without = without
        if any(body.ignores_range for body in bodies):
            collected = CollectedAnswer()
            await response(_without_range(self._call.scope), self._no_more, collected.take)
        for body in bodies:
            _change(collected, body)
            await asyncio.sleep(0)  # there may be many changes of a large document
        if ending is not None:
            await self._end(ending, collected)
        else:
            await self._send_answer(collected, bodies)

    @property
    def _allows_dry_run(self) -> bool:
        """Whether the handler can run without a change of state."""
        exchange, operation = self._call.exchange, self._plan.target.operation
        return exchange.method in {"GET", "HEAD"} or operation in {"create", "read"}

    def _replace_answer(self) -> None:
        """Called when the task is made and its answer is not ready: match the faults that do not
        depend on the answer. Raises AnswerReplaced if one of them replaces the answer."""
        self._committed = self._matches("after", of_answer=False)
        if any(isinstance(fault.rule.effect, EndingFault) for fault in self._committed):
            raise AnswerReplaced

    def _matches_after(self, document: Any) -> list[Fault]:
        """The faults that match an answer, and those that matched when the state changed."""
        if self._committed is None:
            return self._matches("after", document)
        return self._committed + self._matches("after", document, of_answer=True)

    def _matches(
        self, when: When, document: Any = None, *, of_answer: bool | None = None
    ) -> list[Fault]:
        """The faults that match at this moment. They are noted in the exchange."""
        channel, matches = self._plan.matches(when, document, of_answer=of_answer)
        matches = _effective(matches)
        exchange = self._call.exchange
        exchange.faults += tuple(fault.id for fault in matches)
        for fault in matches:
            exchange.add_cause(Cause(fault.scenario, channel, "answer"))
        return matches

    async def _apply(self, matches: Sequence[Fault]) -> tuple[EndingFault | None, list[BodyFault]]:
        """Wait for the delays; returns the other faults: one ending at most, changes of bodies."""
        ending: EndingFault | None = None
        bodies: list[BodyFault] = []
        for fault in matches:
            match fault.rule.effect:
                case DelayFault() as delay:
                    await self._wait(fault, delay)
                case BodyFault() as body:
                    bodies.append(body)
                case ErrorFault() | AnswerFault() | ConnectionFault() as found:
                    ending = ending or found
        return ending, bodies

    async def _wait(self, fault: Fault, delay: DelayFault) -> None:
        self._call.require_world()  # else the delay would run on another world's clock
        chance, subject = self._call.world.chance, fault.random_subject(self._plan.target.account)
        fractions = chance.fraction("delay", subject), chance.fraction("more delay", subject)
        waiting = self._call.timekeeper.sleep(delay.wait_ms(*fractions), self._call.exchange.id)
        if delay.when == "after":
            # If the caller has disconnected, the answer and its other faults are dropped.
            await self._call.unless_disconnected(asyncio.ensure_future(waiting))
        else:
            await waiting

    async def _end(self, ending: EndingFault, collected: CollectedAnswer) -> None:
        """Send the fault's answer, or break the connection."""
        match ending:
            case ErrorFault():
                retry_after = _retry_after(ending, self._call.world.clock)
                response = self._errors.error(self._call, ending.code, ending.message, retry_after)
                await self._respond(response)
            case AnswerFault():
                retry_after = _retry_after(ending, self._call.world.clock)
                headers = {} if retry_after is None else {"Retry-After": retry_after}
                headers |= ending.headers
                await self._respond(
                    Response(ending.body, ending.status, headers, ending.content_type)
                )
            case ConnectionFault():
                if ending.after_bytes is not None:
                    await self._send_start(collected)
                    await self._send_part(collected.body[: ending.after_bytes])
                await self._break(ending)

    async def _break(self, fault: ConnectionFault) -> None:
        if fault.how == "reset":
            # The reset would discard what has not been sent yet.
            await asyncio.sleep(0)
            await self._call.server.keeper.released()
            self._note_broken()
            reset(transport_of(self._call.scope))
        await self._call.until_disconnected()

    def _note_broken(self) -> None:
        clock = self._call.world.clock
        self._call.exchange.end(clock.now_ms(), clock.wall_ms(), "reset_by_fault")

    async def _respond(self, response: Response) -> None:
        collected = CollectedAnswer()
        await response(self._call.scope, self._no_more, collected.take)
        await self._send_answer(collected, [])

    async def _send_answer(self, collected: CollectedAnswer, bodies: Sequence[BodyFault]) -> None:
        cut_at = next((body.cut_at for body in bodies if body.cut_at is not None), None)
        paces = (body.bytes_per_s for body in bodies if body.bytes_per_s is not None)
        await self._send_start(collected)
        content = bytes(collected.body[:cut_at])
        if (bytes_per_s := next(paces, None)) is None:
            await self._send_part(content)
        else:
            async for part in trickling(content, bytes_per_s):
                await self._send_part(part)
        if cut_at is None:
            await self._send({"type": "http.response.body", "body": b""})
        else:
            self._note_broken()
            transport_of(self._call.scope).close()
            await self._call.until_disconnected()

    async def _send_start(self, collected: CollectedAnswer) -> None:
        if collected.status in _WITHOUT_BODY:
            # Callers expect no body here, and would read it as the next answer.
            collected.body.clear()
            collected.headers = [each for each in collected.headers if each[0] != b"content-length"]
        start = {"type": "http.response.start", "status": collected.status}
        await self._send(start | {"headers": collected.headers})

    async def _send_part(self, part: bytes | bytearray) -> None:
        await self._send({"type": "http.response.body", "body": bytes(part), "more_body": True})

    async def _no_more(self) -> Message:
        """A `receive` that never returns, so that the answer does not notice a disconnect."""
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


_WITHOUT_BODY = (204, 304)


def find_misbehaviour(
    call: Call,
    errors: ErrorResponses,
    operation: Operation,
    body: bytes | None,
    *,
    downloaded: Downloaded | None = None,
) -> Misbehaviour | None:
    """The faults of a request; None if there are none. Takes and raises what `plan_for` does."""
    plan = plan_for(call, errors, operation, body, downloaded)
    return None if plan is None else Misbehaviour(plan, call, errors)


def _effective(matches: Sequence[Fault]) -> list[Fault]:
    """The faults with an effect: one ending, delays, and changes of the body if it is sent."""
    ending = next((each for each in matches if isinstance(each.rule.effect, EndingFault)), None)
    sends_body = ending is None or getattr(ending.rule.effect, "after_bytes", None) is not None
    return [
        each
        for each in matches
        if each is ending
        or isinstance(each.rule.effect, DelayFault)
        or (sends_body and isinstance(each.rule.effect, BodyFault))
    ]


def dry_run_answer(call: Call, errors: ErrorResponses, handle: Handler) -> str | None:
    """The answer without faults, from a dry run; None if the handler has to wait."""
    with call.world.dry_run():
        try:
            running: Any = handle(call)
            running.send(None)
        except StopIteration as answered:
            return f"{answered.value.status_code}"
        except DryRunEnded:
            return "accepted"
        except Refusal as refusal:
            response = errors.refuse(call, refusal)
            return _short_form(response.status_code, response.body)
        except Exception:  # noqa: BLE001 a real request would log it
            return None
    running.close()
    return None


def _retry_after(fault: WithRetryAfter, clock: Clock) -> str | None:
    """The value of the fault's header Retry-After; None without one."""
    if fault.retry_after is not None or fault.retry_after_s is None:
        return fault.retry_after
    if fault.retry_after_as == "seconds":
        return str(fault.retry_after_s)
    # A date has whole seconds: it is rounded up, so that it never allows an earlier request.
    return http_date(clock.wall_ms() + 1000 * fault.retry_after_s + 999)


def _short_form(status: int, body: bytes | bytearray | memoryview) -> str:
    """The status of an answer, and the code of an error."""
    if status < 400:
        return f"{status}"
    try:
        return f"{status} {msgspec.json.decode(body)['error']['code']}"
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"{status}"


def _without_range(scope: Scope) -> Scope:
    """The request as if it asked for the whole file."""
    headers = [each for each in scope["headers"] if each[0] not in {b"range", b"if-range"}]
    return {**scope, "headers": headers}


def _change(collected: CollectedAnswer, fault: BodyFault) -> None:
    """Apply a fault to an answer. Its Content-Length is that of the new body."""
    if fault.status is not None:
        collected.status = fault.status
    if fault.content_type is not None:
        collected.set_header(b"content-type", fault.content_type)
    if fault.replace is not None:
        collected.body = bytearray(fault.replace.encode())
    elif fault.drop or fault.rename or fault.set or fault.null:
        document = collected.document
        if document is not None:
            collected.body = bytearray(msgspec.json.encode(fault.apply_to(document)))
    collected.set_header(b"content-length", str(len(collected.body)))
