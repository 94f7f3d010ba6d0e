"""All refusals of the rules. Their names are in the journal.

A refusal is raised before anything has changed. It has no status and no error code: each API's
`errors.py` maps it to those.
"""

from collections.abc import Sequence
from typing import Self

from msgspec import Struct

MOST_VIOLATIONS = 50
"""The maximum number of violations in a refusal; a check may stop after one more."""


class Violation(Struct, frozen=True):
    """One place where a request breaks one rule.

    place: JSON Pointer (RFC 6901) into the body, "" for the body itself, or `header NAME`.
    rule: the rule's name, a JSON Schema keyword where there is one.
    sentence: what would be right.
    """

    place: str
    rule: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.place or 'body'}: {self.sentence}"


class Refusal(Exception):
    """A rule refused a request, and nothing has changed. `str()` is a sentence for people."""


class ApiSwitchedOff(Refusal):
    """The API is switched off."""


class KeyRefused(Refusal):
    """The key is missing or not valid."""


class KeyMissing(KeyRefused):
    """No key came with the request."""


class KeyUnknown(KeyRefused):
    """There is no such key."""


class KeyOfAnotherService(KeyRefused):
    """The key is valid for another service."""


class KeyRevoked(KeyRefused):
    """The key was revoked."""


class KeyDisabled(KeyRefused):
    """The key or its application is disabled."""


class KeyExpired(KeyRefused):
    """The key has expired."""


class ScopeDenied(Refusal):
    """The key is valid but lacks the scope."""


class RateLimited(Refusal):
    """Too many requests in this window; the next one starts in `retry_after_s`."""

    def __init__(self, sentence: str, retry_after_s: int) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class TooManyInFlight(Refusal):
    """The key or the account has as many tasks that have not ended as it may have."""


class Invalid(Refusal):
    """The request breaks the contract; `violations`: up to MOST_VIOLATIONS, the clearest first."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        shown = "; ".join(map(str, violations[:3]))
        more = f"; and {len(violations) - 3} more" if len(violations) > 3 else ""
        if len(violations) > MOST_VIOLATIONS:
            more = f"; and at least {MOST_VIOLATIONS - 3} more"
        super().__init__(shown + more)
        self.violations = tuple(violations[:MOST_VIOLATIONS])

    @classmethod
    def at(cls, place: str, rule: str, sentence: str) -> Self:
        """The refusal for a single violation."""
        return cls([Violation(place, rule, sentence)])


class UnknownPath(Refusal):
    """There is no such path."""


class OtherShard(Refusal):
    """The request belongs to another process. shard: its number."""

    def __init__(self, sentence: str, shard: int) -> None:
        super().__init__(sentence)
        self.shard = shard


class MethodNotAllowed(Refusal):
    """The path is right, the method is not."""


class ForeignPage(Refusal):
    """A web page of another origin may have sent the request, and the door has no token."""


class ControlTokenWrong(Refusal):
    """The control door has a token, and the caller did not send it."""


class DryRunEnded(Exception):
    """The dry run passed every check; the state would have changed now."""


class Conflict(Refusal):
    """The request is not possible in the current state."""


class UnknownTask(Refusal):
    """The account has no such task; another account may have it."""


class UnknownFile(Refusal):
    """The account has no such file; another account may have it."""


class MediaExpired(Refusal):
    """The URL has expired; `status`: of the answer."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class UnknownEndpoint(Refusal):
    """The account has no such webhook endpoint; another account may have it."""


class WebhookUrlRejected(Refusal):
    """A webhook may not have this URL."""


class PromptForbidden(Refusal):
    """Moderation refused the prompt."""


class InsufficientCredits(Refusal):
    """The account has fewer credits than the task costs."""


class IdempotencyMismatch(Refusal):
    """The key was used for another body."""


class IdempotencyRunning(Refusal):
    """The first request with this key is not answered yet."""


class TaskBroke(Refusal):
    """The task that the request waited for has failed."""

    def __init__(self, sentence: str, task_id: str) -> None:
        super().__init__(sentence)
        self.task_id = task_id


class HeldTooLong(Refusal):
    """The request was held for the maximum time; the task continues."""


class ShuttingDown(Refusal):
    """The server stops, or the world is replaced; held requests end."""


class CannotStore(Refusal):
    """The machine cannot store the file; nothing has changed."""
