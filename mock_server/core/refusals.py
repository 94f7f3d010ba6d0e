"""Everything the rules can say no with.

A refusal is raised before anything has changed. It carries facts, never a status or a vendor's
code: each API's `errors.py` says what the refusal is called there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST_VIOLATIONS = 50
"""How many places a refusal names; whoever looks for them may stop after one more."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where a request breaks one rule.

    place: JSON Pointer (RFC 6901) into the body, "" for the body itself, or `header NAME`.
    rule: the rule's name, a JSON Schema keyword where there is one.
    sentence: what would be right, for people.
    """

    place: str
    rule: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.place or 'body'}: {self.sentence}"


class Refusal(Exception):
    """A rule said no, and the world is as it was. `str()` is a sentence for people."""


# --- who asks ---------------------------------------------------------------------------------


class ApiSwitchedOff(Refusal):
    """The whole API is off for now."""


class KeyRefused(Refusal):
    """The key does not let this caller in."""


class KeyMissing(KeyRefused):
    """No key came with the request."""


class KeyUnknown(KeyRefused):
    """Nobody was ever given this key."""


class KeyOfAnotherService(KeyRefused):
    """The key is good, for another service."""


class KeyRevoked(KeyRefused):
    """The key was taken back."""


class KeyDisabled(KeyRefused):
    """The key, or the application it belongs to, is switched off."""


class KeyExpired(KeyRefused):
    """The key's time is over."""


class ScopeDenied(Refusal):
    """The key is good, but not for this."""


class RateLimited(Refusal):
    """Too many requests in the current window; `retry_after_s` says when the next one opens."""

    def __init__(self, sentence: str, retry_after_s: int) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


# --- what is asked ----------------------------------------------------------------------------


class Invalid(Refusal):
    """The request breaks the contract; `violations` says where, the most telling first, and at
    most MOST_VIOLATIONS of them."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        shown = "; ".join(str(violation) for violation in violations[:3])
        more = f"; and {len(violations) - 3} more" if len(violations) > 3 else ""
        if len(violations) > MOST_VIOLATIONS:
            more = f"; and at least {MOST_VIOLATIONS - 3} more"
        super().__init__(shown + more)
        self.violations = tuple(violations[:MOST_VIOLATIONS])

    @classmethod
    def at(cls, place: str, rule: str, sentence: str) -> Invalid:
        """The refusal for a single violation."""
        return cls([Violation(place, rule, sentence)])


class UnknownPath(Refusal):
    """Nothing is at this path."""


class MethodNotAllowed(Refusal):
    """The path is right, the method is not; `allowed` names those that are."""

    def __init__(self, sentence: str, allowed: Sequence[str]) -> None:
        super().__init__(sentence)
        self.allowed = tuple(allowed)


class ForeignPage(Refusal):
    """A web page of another origin may have caused the request, and the door has no lock."""


class ControlTokenWrong(Refusal):
    """The control door is locked, and the caller has no key to it."""


class Rehearsed(Exception):
    """Everything was right; the state would have changed now, had this not been a rehearsal."""


class Conflict(Refusal):
    """What is asked cannot be done as things stand now."""


class UnknownTask(Refusal):
    """No such task, or somebody else's: the answer does not tell which."""


class UnknownFile(Refusal):
    """No such file, or somebody else's: the answer does not tell which."""


class UnknownEndpoint(Refusal):
    """No such webhook endpoint, or somebody else's: the answer does not tell which."""


class WebhookUrlRejected(Refusal):
    """Webhooks are not sent to an address like this."""


class PromptForbidden(Refusal):
    """Moderation refused the prompt."""


# --- whether it can be had --------------------------------------------------------------------


class InsufficientCredits(Refusal):
    """The account has fewer credits than the job costs."""


class IdempotencyMismatch(Refusal):
    """The key was used for another body."""


class IdempotencyRunning(Refusal):
    """The first request with this key is not answered yet."""


# --- what became of it ------------------------------------------------------------------------


class TaskBroke(Refusal):
    """The task a caller was waiting for failed."""

    def __init__(self, sentence: str, task_id: str) -> None:
        super().__init__(sentence)
        self.task_id = task_id


class HeldTooLong(Refusal):
    """The caller waited as long as a request may be held; the task goes on."""


class ShuttingDown(Refusal):
    """The server stops; whoever was waiting is let go."""


class CannotStore(Refusal):
    """The machine has no room for what should be kept; nothing was kept."""
