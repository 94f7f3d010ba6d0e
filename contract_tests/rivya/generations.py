"""Asking Rivya for generations, and watching one live."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from contract_tests.exchange import Exchange
from contract_tests.refusals import require_success
from contract_tests.target import Caller, until
from contract_tests.verdicts import Require

CHEAP = "hailuo-standard"
DEAR = "hailuo-pro"
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


def order(model: str = CHEAP, **fields: Any) -> dict[str, Any]:
    """A valid request, some fields changed."""
    return {"model": model, "prompt": "Slow dolly towards a lighthouse at dusk"} | fields


def create(asker: Caller, body: Any = None, *, key: str | None = None) -> Exchange:
    """POST /generations. key: an Idempotency-Key."""
    return asker.post("/generations", body or order(), headers={"idempotency-key": key})


def look(asker: Caller, task_id: str) -> Exchange:
    """GET /generations/{taskId}."""
    return asker.get(f"/generations/{task_id}")


def credits_of(asker: Caller, require: Require) -> float:
    """What the credits endpoint says."""
    answer = asker.get("/credits")
    shown = require_success(require, "rivya.rule.takes-what-is-valid", answer)
    balance: float = shown["current_credits"]
    return balance


@dataclass
class Life:
    """What is known of one generation; every new look must agree with all before it."""

    require: Require
    looks: list[Exchange] = field(default_factory=list)

    @property
    def last(self) -> dict[str, Any]:
        """The generation as it was last seen."""
        shown: dict[str, Any] = self.looks[-1].json
        return shown

    @property
    def has_ended(self) -> bool:
        """Whether it was seen in a final state."""
        return bool(self.looks) and self.last["status"] in ENDED

    def see(self, answer: Exchange) -> None:
        """One more look, oldest first."""
        require, now = self.require, answer.json
        rule = "rivya.rule."
        if answer.status != 200 or self.looks:
            ok = answer.status == 200
            require(
                rule + "status-is-200-in-every-state",
                ok,
                expected=200,
                got=answer.status,
                by=answer,
            )
        hidden = [name for name in PRIVATE if name in now]
        hidden += [word for word in INTERNAL_STATES if f'"{word}"' in answer.body.decode()]
        require(
            rule + "no-private-fields", not hidden, expected="none of them", got=hidden, by=answer
        )
        if self.looks:
            self._agrees_with_before(answer)
        self.looks.append(answer)

    def _agrees_with_before(self, answer: Exchange) -> None:
        before, now, require = self.last, answer.json, self.require
        rule = "rivya.rule."
        for name in _CONSTANT:
            same = now.get(name) == before.get(name)
            require(
                rule + "same-object-everywhere",
                same,
                expected=f"{name} {before.get(name)!r}, as before",
                got=f"{name} {now.get(name)!r}",
                by=answer,
            )
        path = f"{before['status']} then {now['status']}"
        forward = now["status"] in _NEXT.get(before["status"], ())
        require(rule + "states-go-forward", forward, expected="forward", got=path, by=answer)
        moved = now["updated_at"] > before["updated_at"]
        stayed = now["updated_at"] == before["updated_at"]
        changed = now["status"] != before["status"]
        require(
            rule + "updated-moves-forward",
            moved if changed else stayed or moved,
            expected=f"after {before['updated_at']}" if changed else "no time before it",
            got=now["updated_at"],
            by=answer,
        )
        if before["status"] in ENDED:
            require(rule + "terminal-stays", now == before, expected=before, got=now, by=answer)


def live_to_the_end(asker: Caller, life: Life) -> None:
    """Look until the generation has ended."""
    task_id = life.last["id"]

    def see() -> Exchange:
        answer = look(asker, task_id)
        life.see(answer)
        return answer

    _, ended = until(asker.target, see, lambda _: life.has_ended, LONGEST_LIFE_S)
    life.require(
        "rivya.Generation.status",
        ended,
        expected=f"an end within {LONGEST_LIFE_S:.0f} s",
        got=f"still {life.last['status']}",
        by=life.looks[-1],
    )
