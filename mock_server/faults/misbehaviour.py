"""An exchange that goes wrong as its fault plan has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response
from starlette.types import Message, Send

from mock_server.core.exchange_faults import (
    AnswerFault,
    BodyFault,
    ConnectionFault,
    DelayFault,
    ErrorFault,
    When,
)
from mock_server.core.faults import Fault
from mock_server.core.journal import Cause
from mock_server.core.refusals import Refusal, Rehearsed
from mock_server.edge.call import AnswerReplaced
from mock_server.edge.connection import close_connection, reset_connection
from mock_server.faults.plan import FaultPlan

if TYPE_CHECKING:
    from mock_server.edge.call import Call
    from mock_server.edge.resource import Voice

Answer = Callable[["Call"], Awaitable[Response]]
Ending = ErrorFault | AnswerFault | ConnectionFault


@dataclass(slots=True)
class Collected:
    """An answer that has not been sent."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)

    async def take(self, message: Message) -> None:
        """Keep what would have been sent."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")

    @property
    def document(self) -> Any:
        """What the body says, if it is JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def set_header(self, name: bytes, value: str) -> None:
        """Have this header once, with this value."""
        self.headers = [each for each in self.headers if each[0].lower() != name]
        self.headers.append((name, value.encode("latin-1", "replace")))


class Misbehaviour:
    """One request on its way through everything that goes wrong with it."""

    def __init__(self, plan: FaultPlan, call: Call, voice: Voice, send: Send) -> None:
        self._plan = plan
        self._call = call
        self._voice = voice
        self._send = send
        self._committed: list[Fault] | None = None

    async def run(self, handle: Answer, answer: Answer) -> None:
        """Have the request answered, or not.

        handle: what the rules say, refusals raised; answer: the same with refusals as answers.
        """
        ending, _ = await self._suffer(self._struck("before"))
        if ending is not None:
            if self._can_be_rehearsed:
                self._call.exchange.without = rehearsed(self._call, self._voice, handle)
            await self._end(ending, Collected())
            return
        collected = Collected()
        self._call.on_committed = self._replace_answer
        try:
            response = await answer(self._call)
        except AnswerReplaced:
            self._call.exchange.without = "accepted"
            ending, _ = await self._suffer(self._committed or [])
            if ending is not None:
                await self._end(ending, collected)
            return
        await response(self._call.scope, self._no_more, collected.take)
        sound = _summary(collected)
        ending, bodies = await self._suffer(self._struck_after(collected.document))
        if self._call.exchange.faults:
            self._call.exchange.without = sound
        for body in bodies:
            _change(collected, body)
            await asyncio.sleep(0)  # there may be many, and the document may be large
        if ending is not None:
            await self._end(ending, collected)
        else:
            await self._send_collected(collected, bodies)

    @property
    def _can_be_rehearsed(self) -> bool:
        """Whether the rules can be asked without anything being changed by it."""
        exchange, operation = self._call.exchange, self._plan.situation.operation
        return exchange.method in {"GET", "HEAD"} or operation in {"create", "read"}

    def _replace_answer(self) -> None:
        """The task is made, and its answer comes when it has ended: what does not need that answer
        goes wrong now. Raises AnswerReplaced if that leaves nothing of it."""
        self._committed = self._struck("after", of_answer=False)
        if any(isinstance(fault.rule.effect, Ending) for fault in self._committed):
            raise AnswerReplaced

    def _struck_after(self, document: Any) -> list[Fault]:
        """What goes wrong with an answer, and with a state that has changed."""
        if self._committed is None:
            return self._struck("after", document)
        return self._committed + self._struck("after", document, of_answer=True)

    def _struck(
        self, when: When, document: Any = None, *, of_answer: bool | None = None
    ) -> list[Fault]:
        """What goes wrong at this moment; kept with the exchange."""
        channel, struck = self._plan.struck(when, document, of_answer=of_answer)
        struck = _effective(struck)
        self._note(channel, struck)
        return struck

    async def _suffer(self, struck: Sequence[Fault]) -> tuple[Ending | None, list[BodyFault]]:
        """Wait as long as delays want; what else goes wrong."""
        endings: list[Ending] = []
        bodies: list[BodyFault] = []
        for fault in struck:
            match fault.rule.effect:
                case DelayFault() as delay:
                    await self._wait(fault, delay)
                case BodyFault() as body:
                    bodies.append(body)
                case ErrorFault() | AnswerFault() | ConnectionFault() as ending:
                    endings.append(ending)
        return (endings[0] if endings else None), bodies

    def _note(self, channel: str, struck: Sequence[Fault]) -> None:
        exchange = self._call.exchange
        exchange.faults += tuple(fault.id for fault in struck)
        for fault in struck:
            exchange.add_cause(Cause(fault.scenario, channel, "answer"))

    async def _wait(self, fault: Fault, delay: DelayFault) -> None:
        self._call.require_world()  # the clock of another one would have to be waited for
        chance, subject = self._call.world.chance, fault.turn_of(self._plan.situation.account)
        drawn = chance.fraction("delay", subject), chance.fraction("more delay", subject)
        waiting = self._call.timekeeper.sleep(delay.wait_ms(*drawn), self._call.exchange.id)
        if delay.when == "after":
            # Nobody waits for an answer whose caller has left, nor for what hangs on it.
            await self._call.unless_hung_up(asyncio.ensure_future(waiting))
        else:
            await waiting

    async def _end(self, ending: Ending, collected: Collected) -> None:
        """Answer in another way than the rules would have, or not at all."""
        match ending:
            case ErrorFault():
                response = self._voice.error(
                    self._call, ending.code, ending.message, ending.retry_after_s
                )
                await self._respond(response)
            case AnswerFault():
                await self._respond(
                    Response(ending.body, ending.status, ending.headers, ending.content_type)
                )
            case ConnectionFault():
                if ending.after_bytes is not None:
                    await self._send_start(collected)
                    await self._send_part(collected.body[: ending.after_bytes])
                await self._break(ending)

    async def _break(self, fault: ConnectionFault) -> None:
        if fault.how == "reset":
            # What was sent has to leave before the reset overtakes it.
            await asyncio.sleep(0)
            reset_connection(self._call.scope)
        await self._call.until_hung_up()

    async def _respond(self, response: Response) -> None:
        collected = Collected()
        await response(self._call.scope, self._no_more, collected.take)
        await self._send_collected(collected, [])

    async def _send_collected(self, collected: Collected, bodies: Sequence[BodyFault]) -> None:
        cuts = [body.cut_at for body in bodies if body.cut_at is not None]
        paces = [body.bytes_per_s for body in bodies if body.bytes_per_s is not None]
        await self._send_start(collected)
        content = bytes(collected.body)
        if cuts:
            content = content[: cuts[0]]
        async for part in _parts(content, paces[0] if paces else None):
            await self._send_part(part)
        if cuts:
            close_connection(self._call.scope)
            await self._call.until_hung_up()
        else:
            await self._send({"type": "http.response.body", "body": b""})

    async def _send_start(self, collected: Collected) -> None:
        if collected.status in _WITHOUT_BODY:
            # A caller reads on there, and would take the body for the next answer.
            collected.body.clear()
            collected.headers = [each for each in collected.headers if each[0] != b"content-length"]
        start = {"type": "http.response.start", "status": collected.status}
        await self._send(start | {"headers": collected.headers})

    async def _send_part(self, part: bytes | bytearray) -> None:
        await self._send({"type": "http.response.body", "body": bytes(part), "more_body": True})

    async def _no_more(self) -> Message:
        """For answers that would watch whether the caller hangs up: not now."""
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


_WITHOUT_BODY = (204, 304)


def _effective(struck: Sequence[Fault]) -> list[Fault]:
    """Those that the caller can notice: one ending, and changes of a body that is then sent."""
    ending = next((each for each in struck if isinstance(each.rule.effect, Ending)), None)
    sends_body = ending is None or getattr(ending.rule.effect, "after_bytes", None) is not None
    return [
        each
        for each in struck
        if each is ending
        or isinstance(each.rule.effect, DelayFault)
        or (sends_body and isinstance(each.rule.effect, BodyFault))
    ]


def rehearsed(call: Call, voice: Voice, handle: Answer) -> str | None:
    """What the rules would have answered, without changing anything; None if that takes time."""
    with call.world.rehearsal():
        try:
            asking: Any = handle(call)
            asking.send(None)
        except StopIteration as answered:
            return f"{answered.value.status_code}"
        except Rehearsed:
            return "accepted"
        except Refusal as refusal:
            response = voice.refuse(call, refusal)
            return _told(response.status_code, bytes(response.body))
        except Exception:  # noqa: BLE001 a handler that breaks here breaks for real elsewhere
            return None
    asking.close()
    return None


def _summary(collected: Collected) -> str:
    return _told(collected.status, bytes(collected.body))


def _told(status: int, body: bytes) -> str:
    """An answer in a few words: its status, and its code if it is an error."""
    if status < 400:
        return f"{status}"
    try:
        return f"{status} {msgspec.json.decode(body)['error']['code']}"
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"{status}"


def _change(collected: Collected, fault: BodyFault) -> None:
    """Do to an answer what a fault wants; its length is told as it is then."""
    if fault.status is not None:
        collected.status = fault.status
    if fault.content_type is not None:
        collected.set_header(b"content-type", fault.content_type)
    if fault.replace is not None:
        collected.body = bytearray(fault.replace.encode())
    elif fault.drop or fault.rename or fault.set or fault.null:
        document = collected.document
        if document is not None:
            collected.body = bytearray(msgspec.json.encode(fault.changed(document)))
    collected.set_header(b"content-length", str(len(collected.body)))


async def _parts(content: bytes, bytes_per_s: int | None) -> AsyncIterator[bytes]:
    """The content, at once or byte by byte in real time."""
    if bytes_per_s is None:
        yield content
        return
    for byte in content:
        await asyncio.sleep(1 / bytes_per_s)
        yield bytes((byte,))
