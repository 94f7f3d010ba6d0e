"""Sends requests for generations to Rivya, and checks what changes in one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from contract_tests.exchange import Exchange
from contract_tests.requirements import require_success
from contract_tests.rivya.rules import CHEAP, RULE, known, require_equal
from contract_tests.target import Caller, poll_until
from contract_tests.verdicts import Require

LONGEST_LIFE_S = 1800.0
ENDED = ("succeeded", "failed")
_ORDER = ("queued", "processing", "succeeded", "failed")
_NEXT = {
    "queued": _ORDER,
    "processing": _ORDER[1:],
    "succeeded": ("succeeded",),
    "failed": ("failed",),
}
_CONSTANT = ("id", "model", "reserved_credits", "created_at")
PRIVATE = (
    "prompt", "params", "client_request_id", "user_id", "account", "account_id", "task_id", "state",
    "provider", "upstream_id", "upstream", "internal_status", "billing_type",
)  # fmt: skip
INTERNAL_STATES = ("WAITING", "GENERATING", "SUCCESS", "FAILED")


def request_body(model: str = CHEAP, **fields: Any) -> dict[str, Any]:
    """The body of a valid request, with some fields added or replaced."""
    return {"model": model, "prompt": "Slow dolly towards a lighthouse at dusk"} | fields


def create(caller: Caller, body: Any = None, *, key: str | None = None) -> Exchange:
    """Send POST /generations. key: an Idempotency-Key."""
    return caller.post("/generations", body or request_body(), headers={"idempotency-key": key})


def read(caller: Caller, task_id: str) -> Exchange:
    """Send GET /generations/{taskId}."""
    return caller.get(f"/generations/{task_id}")


def credits_of(caller: Caller, require: Require) -> float:
    """The balance that GET /credits shows."""
    answer = caller.get("/credits")
    shown = require_success(require, RULE + "takes-what-is-valid", answer)
    balance: float = shown["current_credits"]
    return balance


@dataclass
class History:
    """The answers about one generation. Each new one must agree with those before."""

    require: Require
    answers: list[Exchange] = field(default_factory=list)

    @property
    def last(self) -> dict[str, Any]:
        """The generation in the last answer."""
        shown: dict[str, Any] = self.answers[-1].json
        return shown

    @property
    def has_ended(self) -> bool:
        """Whether the last answer shows a final state."""
        return bool(self.answers) and self.last["status"] in ENDED

    def add(self, answer: Exchange) -> None:
        """Check an answer against the contract and the answers before, and keep it."""
        require, now = self.require, answer.json
        if answer.status != 200 or self.answers:
            require_equal(require, "status-is-200-in-every-state", answer.status, 200, answer)
        hidden = [name for name in PRIVATE if name in now]
        hidden += [word for word in INTERNAL_STATES if f'"{word}"' in answer.body.decode()]
        require(
            RULE + "no-private-fields", not hidden, expected="none of them", got=hidden, by=answer
        )
        if self.answers:
            self._require_agreement(answer)
        self.answers.append(answer)

    def _require_agreement(self, answer: Exchange) -> None:
        """Require that an answer agrees with the last one."""
        before, now, require = self.last, answer.json, self.require
        for name in _CONSTANT:
            require(
                RULE + "same-object-everywhere",
                now.get(name) == before.get(name),
                expected=f"{name} {before.get(name)!r}, as before",
                got=f"{name} {now.get(name)!r}",
                by=answer,
            )
        transition = f"{before['status']} then {now['status']}"
        forward = now["status"] in _NEXT.get(before["status"], ())
        require(RULE + "states-go-forward", forward, expected="forward", got=transition, by=answer)
        changed = now["status"] != before["status"]
        is_later = now["updated_at"] > before["updated_at"]
        is_same = now["updated_at"] == before["updated_at"]
        require(
            RULE + "updated-moves-forward",
            is_later if changed else is_same or is_later,
            expected=f"after {before['updated_at']}" if changed else "no earlier time",
            got=now["updated_at"],
            by=answer,
        )
        if before["status"] in ENDED:
            require_equal(require, "terminal-stays", known(now), known(before), answer)

    def poll_to_the_end(self, caller: Caller) -> None:
        """Poll until the generation has ended."""
        task_id = self.last["id"]

        def poll() -> Exchange:
            answer = read(caller, task_id)
            self.add(answer)
            return answer

        _, ended = poll_until(caller.target, poll, lambda _: self.has_ended, LONGEST_LIFE_S)
        self.require(
            "rivya.Generation.status", ended, expected=f"an end within {LONGEST_LIFE_S:.0f} s",
            got=f"still {self.last['status']}", by=self.answers[-1],
        )  # fmt: skip
