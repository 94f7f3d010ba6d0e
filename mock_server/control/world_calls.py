"""The calls about the contents of a world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict, Unpack

from mock_server.control import answers
from mock_server.control import history_answers as shown
from mock_server.control.judgement_answers import Judgement
from mock_server.control.transport import (
    TIMEOUT_S,
    AsyncTransport,
    Caller,
    ClientMethod,
    Json,
    Request,
    RequestFlow,
    Transport,
    step,
)
from mock_server.core.apis import Operation
from mock_server.core.lifecycle import FailureReason

_JUDGING_S = 120.0
"""The time limit of a judgement: a long journal takes some seconds."""


class Filters(TypedDict, total=False):
    """Selects the requests that have all of these values.
    path: without `/w/WORLD`; `*` matches any text. task: the task that the request made or read."""

    method: str
    path: str
    api: answers.Api
    operation: Operation
    status: int
    account: str
    task: str


class Match(Filters, total=False):
    """Selects by headers and the body, too.
    headers: by name True for present, False for absent, or a regular expression for the value; a
    credential only as present or absent. body: values by JSON Pointer in the request's JSON."""

    headers: Mapping[str, bool | str]
    body: Mapping[str, Any]


class WorldCalls(Caller):
    """The calls about a world. name, seed, keys: as it was made.
    base_url, rivya_url, acedata_url: the base URL of all APIs in this world; Rivya's paths begin
    with `/api/v1/`, those of Ace Data Cloud with `/hailuo/`. plain_url: the base URL of the server,
    where a request belongs to the world of its key. media_url: the start of the URLs of media."""

    def __init__(self, transport: Transport | AsyncTransport, facts: answers.WorldFacts) -> None:
        super().__init__(transport, f"/_mock/worlds/{step(facts.name)}")
        self.name = facts.name
        self.seed = facts.seed
        self.keys = facts.keys
        self.base_url = self.rivya_url = self.acedata_url = facts.base_url
        self.plain_url = facts.plain_base_url
        self.media_url = facts.media_url
        self._facts = facts

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} at {self.base_url}, seed {self.seed}>"

    @property
    def rivya_key(self) -> str:
        """A key of Rivya's. Raises LookupError if the world was made without one."""
        return self._key_of("rivya")

    @property
    def acedata_token(self) -> str:
        """A token of Ace Data Cloud's. Raises LookupError if the world was made without one."""
        return self._key_of("acedata")

    def headers(self, api: answers.Api) -> dict[str, str]:
        """The headers of a client with all permissions at this API."""
        return {"Authorization": f"Bearer {self._key_of(api)}"}

    def _key_of(self, api: answers.Api) -> str:
        for key in self.keys:
            if key.api == api:
                return key.key
        raise LookupError(f"the world '{self.name}' was made without a key for {api}")

    # --- accounts -----------------------------------------------------------------------------

    @ClientMethod
    def accounts(self) -> RequestFlow[list[answers.Account]]:
        """Every account, with its credits and keys."""
        return (yield Request("GET", f"{self._path}/accounts")).read(answers.AccountList).accounts

    @ClientMethod
    def account(self, name: str) -> RequestFlow[answers.Account]:
        """One account, by its name."""
        return (yield Request("GET", f"{self._path}/accounts/{step(name)}")).read(answers.Account)

    @ClientMethod
    def ledger(self, account: str) -> RequestFlow[answers.Balance]:
        """An account's credits."""
        reply = yield Request("GET", f"{self._path}/accounts/{step(account)}")
        return reply.read(answers.Account).ledger

    @ClientMethod
    def ledger_rows(
        self,
        account: str,
        *,
        since: int | None = None,
        until: datetime | None = None,
        moved: shown.Moved | None = None,
        task: str | answers.Task | None = None,
        limit: int | None = None,
    ) -> RequestFlow[shown.AccountLedger]:
        """The movements of an account's credits, in the order in which they happened.

        since: only rows after the one with this number. until: only rows up to this time of the
        world. moved, task: only such rows. limit: only the newest so many.
        """
        query = {
            "since": since,
            "until": _text(until),
            "moved": moved,
            "task": None if task is None else answers.id_of(task),
            "limit": limit,
        }
        path = f"{self._path}/accounts/{step(account)}/ledger"
        return (yield Request("GET", path, query=query)).read(shown.AccountLedger)

    @ClientMethod
    def make_account(
        self,
        name: str,
        *,
        credits: int,
        keys: Sequence[Json] = (),
        in_flight: int | None = None,
    ) -> RequestFlow[answers.Account]:
        """Make an account. keys: `{"key": …, "api": …}` each, with scopes, expiry and limits.
        in_flight: as for `set_in_flight`."""
        body = {"name": name, "credits": credits, "keys": keys, "in_flight": in_flight}
        return (yield Request("POST", f"{self._path}/accounts", body)).read(answers.Account)

    @ClientMethod
    def set_credits(self, account: str, credits: int) -> RequestFlow[answers.Account]:
        """Set the credits that an account can spend."""
        path = f"{self._path}/accounts/{step(account)}"
        return (yield Request("PATCH", path, {"credits": credits})).read(answers.Account)

    @ClientMethod
    def set_in_flight(self, account: str, in_flight: int) -> RequestFlow[answers.Account]:
        """Set how many tasks of an account may not have ended; 0: any number."""
        path = f"{self._path}/accounts/{step(account)}"
        return (yield Request("PATCH", path, {"in_flight": in_flight})).read(answers.Account)

    @ClientMethod
    def set_key(
        self,
        account: str,
        key: str,
        *,
        api: answers.Api,
        scopes: Sequence[str] | None = None,
        revoked: bool = False,
        disabled: bool = False,
        expires_at: datetime | None = None,
        rate_limit: int | None = None,
        in_flight: int | None = None,
    ) -> RequestFlow[answers.Account]:
        """Issue a key, or replace the account's key of the same name.
        scopes: None: all. rate_limit: requests per window; in_flight: tasks that may not have
        ended; None: as in the server's settings."""
        issued = {
            "key": key,
            "api": api,
            "revoked": revoked,
            "disabled": disabled,
            "expires_at": expires_at,
            "rate_limit": rate_limit,
            "in_flight": in_flight,
        }
        body = {"keys": [issued if scopes is None else issued | {"scopes": scopes}]}
        path = f"{self._path}/accounts/{step(account)}"
        return (yield Request("PATCH", path, body)).read(answers.Account)

    # --- tasks --------------------------------------------------------------------------------

    @ClientMethod
    def tasks(self) -> RequestFlow[list[answers.Task]]:
        """Every task of all APIs, the oldest first."""
        return (yield Request("GET", f"{self._path}/tasks")).read(answers.TaskList).tasks

    @ClientMethod
    def task(self, task_id: str) -> RequestFlow[answers.Task]:
        """One task, as it is now."""
        return (yield Request("GET", f"{self._path}/tasks/{step(task_id)}")).read(answers.Task)

    @ClientMethod
    def finish(
        self,
        task: str | answers.Task,
        state: Literal["succeeded", "failed"] = "succeeded",
        *,
        reason: FailureReason | None = None,
    ) -> RequestFlow[answers.Task]:
        """End a task now: credits are settled, held requests answered, and callbacks are due.
        reason: why it fails; None: as planned."""
        path = f"{self._path}/tasks/{step(answers.id_of(task))}/finish"
        body = {"state": state, "reason": reason}
        return (yield Request("POST", path, body)).read(answers.Task)

    @ClientMethod
    def story(
        self,
        task: str | answers.Task,
        *,
        type: shown.EntryType | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> RequestFlow[shown.Story]:
        """All that happened to a task, in order.

        type: only entries of this type. since, until: only those after, and not after, these times
        of the world. limit: only the newest so many.
        """
        path = f"{self._path}/tasks/{step(answers.id_of(task))}/story"
        times = {"since": _text(since), "until": _text(until)}
        query = {"type": type, "limit": limit, **times}
        return (yield Request("GET", path, query=query)).read(shown.Story)

    @ClientMethod
    def scenario_of(self, task: str | answers.Task) -> RequestFlow[answers.TaskScenario]:
        """What went wrong in a task, as a scenario file: write its `toml` to `NAME.toml` in a
        folder of `--scenario-dir`.

        Raises ControlError: 409 if nothing went wrong that a fault can repeat.
        """
        path = f"{self._path}/tasks/{step(answers.id_of(task))}/scenario"
        return (yield Request("GET", path)).read(answers.TaskScenario)

    # --- requests -----------------------------------------------------------------------------

    @ClientMethod
    def requests(self, **filters: Unpack[Filters]) -> RequestFlow[list[answers.Exchange]]:
        """The requests in the journal, the oldest first, those under way included."""
        reply = yield Request("GET", f"{self._path}/requests", query={**filters})
        return list(reply.read(answers.Journal).requests)

    @ClientMethod
    def journal(
        self, *, since: str | None = None, limit: int | None = None, **filters: Unpack[Filters]
    ) -> RequestFlow[answers.Journal]:
        """The requests in the journal, and the number of deleted ones.
        since: only requests after the one with this id. limit: the maximum number, the newest."""
        query = {**filters, "since": since, "limit": limit}
        return (yield Request("GET", f"{self._path}/requests", query=query)).read(answers.Journal)

    @ClientMethod
    def export(
        self, format: Literal["har", "ndjson"], **filters: Unpack[Filters]
    ) -> RequestFlow[bytes]:
        """The journal as a document for other tools."""
        query = {**filters, "format": format}
        return (yield Request("GET", f"{self._path}/requests", query=query)).content

    @ClientMethod
    def request(self, request_id: str) -> RequestFlow[answers.Exchange]:
        """One request by its id, which is in the answer's header `Mock-Request`."""
        reply = yield Request("GET", f"{self._path}/requests/{step(request_id)}")
        return reply.read(answers.Exchange)

    @ClientMethod
    def clear_requests(self) -> RequestFlow[None]:
        """Delete the requests that have been answered."""
        yield Request("DELETE", f"{self._path}/requests")

    @ClientMethod
    def verify(
        self,
        *,
        count: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        order: Sequence[Match] = (),
        **match: Unpack[Match],
    ) -> RequestFlow[answers.Verdict]:
        """Assert that this number of matching requests came; without a number, at least one.

        order: matching requests came in this order; others may have come in between. Raises
        AssertionError with what was found and the nearest requests, also if the result depends on
        requests that the journal no longer keeps; `clear_requests` starts a new count.
        """
        __tracebackhide__ = True
        bounds = {"count": count, "at_least": at_least, "at_most": at_most}
        body: dict[str, Any] = {"match": match, "order": order}
        body |= {name: bound for name, bound in bounds.items() if bound is not None}
        reply = yield Request("POST", f"{self._path}/requests/verify", body)
        verdict = reply.read(answers.Verdict)
        if not verdict.verified:
            raise AssertionError(str(verdict))
        return verdict

    # --- deliveries ---------------------------------------------------------------------------

    @ClientMethod
    def deliveries(self) -> RequestFlow[list[answers.Delivery]]:
        """Every callback and webhook, sent or still to be sent, the oldest first."""
        reply = yield Request("GET", f"{self._path}/deliveries")
        return reply.read(answers.DeliveryList).deliveries

    @ClientMethod
    def delivery(self, delivery_id: str) -> RequestFlow[answers.Delivery]:
        """One delivery, as it is now."""
        path = f"{self._path}/deliveries/{step(delivery_id)}"
        return (yield Request("GET", path)).read(answers.Delivery)

    @ClientMethod
    def redeliver(self, delivery: str | answers.Delivery) -> RequestFlow[answers.Delivery]:
        """Make one more attempt at a delivery, due now."""
        path = f"{self._path}/deliveries/{step(answers.id_of(delivery))}/redeliver"
        return (yield Request("POST", path)).read(answers.Delivery)

    @ClientMethod
    def signed_request(
        self,
        event: str | answers.Task | answers.Delivery,
        state: Literal["succeeded", "failed"] | None = None,
        *,
        endpoint: str | None = None,
    ) -> RequestFlow[answers.SentRequest]:
        """The request that would be sent now, byte for byte, signed; nothing is sent.
        event: a delivery; or a task, for its end without a fault. A task that has not ended is
        shown as if it ended now. state: the end of the task; None: as planned. endpoint: the id of
        the webhook endpoint, if several receive the event."""
        name = answers.id_of(event)
        kind = "deliveries" if name.startswith("delivery_") else "tasks"
        query = {"state": state, "endpoint": endpoint}
        path = f"{self._path}/{kind}/{step(name)}/signed_request"
        return (yield Request("GET", path, query=query)).read(answers.SentRequest)

    # --- waits --------------------------------------------------------------------------------

    @ClientMethod
    def wait_for_request(
        self, *, after: str | None = None, timeout_s: float = 10.0, **filters: Unpack[Filters]
    ) -> RequestFlow[answers.Exchange]:
        """The first such request, as soon as it has been answered.

        after: only requests after the one with this id. timeout_s: real seconds, at most 60. Raises
        ControlError: 408 with what came instead if the time runs out, 409 at once if it can no
        longer happen, 503 if the world is dropped, reset or replaced.
        """
        reply = yield _wait(f"{self._path}/wait", {**filters, "after": after}, timeout_s)
        return reply.read(answers.FoundRequest).request

    @ClientMethod
    def wait_for_task(
        self,
        task: str | answers.Task,
        state: answers.TaskState | Literal["ended"] = "ended",
        *,
        timeout_s: float = 10.0,
    ) -> RequestFlow[answers.Task]:
        """The task, as soon as it has reached this state. A frozen clock must be moved meanwhile.

        It is returned as it is then, perhaps in a later state. Raises as `wait_for_request` does.
        """
        query = {"task": answers.id_of(task), "state": state}
        reply = yield _wait(f"{self._path}/wait", query, timeout_s)
        return reply.read(answers.FoundTask).task

    @ClientMethod
    def wait_for_delivery(
        self,
        task: str | answers.Task | None = None,
        outcome: Literal["succeeded", "failed", "ended", "attempted"] = "attempted",
        *,
        delivery: str | answers.Delivery | None = None,
        timeout_s: float = 10.0,
    ) -> RequestFlow[answers.Delivery]:
        """A delivery about this task, or about any, as soon as one has this outcome.

        delivery: only this delivery. outcome: `ended` is success or failure, `attempted` is a first
        attempt. Raises as `wait_for_request` does.
        """
        query = {
            "task": None if task is None else answers.id_of(task),
            "delivery_id": None if delivery is None else answers.id_of(delivery),
            "delivery": outcome,
        }
        reply = yield _wait(f"{self._path}/wait", query, timeout_s)
        return reply.read(answers.FoundDelivery).delivery

    # --- the client ---------------------------------------------------------------------------

    @ClientMethod
    def judge(
        self,
        *,
        control: str | WorldCalls | None = None,
        expected_jobs: int | None = None,
        so_far: bool = False,
        run: Json | None = None,
        effects: Sequence[Json] = (),
        only: Sequence[str] = (),
        skip: Sequence[str] = (),
    ) -> RequestFlow[Judgement]:
        """What the client did wrong in this world, with the evidence. Nothing changes.

        control: a world in which the same client ran without faults. expected_jobs: how many videos
        it was to order in all. so_far: whether it goes on: only findings that stand whatever it
        does later are looked for. run: how it ended, as `/_mock/control.json` describes it.
        effects: `{"at": …, "count": …}`: how often it had acted. only, skip: codes of rules.
        """
        name = control.name if isinstance(control, WorldCalls) else control
        body: dict[str, Any] = {"control": name, "expected_jobs": expected_jobs, "effects": effects}
        body |= {"so_far": so_far, "only": only, "skip": skip}
        body |= {} if run is None else {"run": run}
        request = Request("POST", f"{self._path}/judgement", body, timeout_s=_JUDGING_S)
        return (yield request).read(Judgement)

    # --- the whole world ----------------------------------------------------------------------

    @ClientMethod
    def changes(
        self,
        since: str | None = None,
        *,
        type: shown.ChangeType | None = None,
        task: str | answers.Task | None = None,
        limit: int | None = None,
        timeout_s: float = 0.0,
    ) -> RequestFlow[shown.Changes]:
        """What happened after a cursor, in order; without one, all that is kept.

        since: the `cursor` of an earlier answer. type, task: only such changes. limit: the first
        so many; None: 1000. timeout_s: real seconds to wait, at most 60, if there is nothing new.
        Raises ControlError: 400 for a cursor that the world did not give, 503 if it is dropped,
        reset or replaced during the wait.
        """
        query = {
            "since": since,
            "type": type,
            "task": None if task is None else answers.id_of(task),
            "limit": limit,
        }
        return (yield _wait(f"{self._path}/changes", query, timeout_s)).read(shown.Changes)

    @ClientMethod
    def snapshot(self) -> RequestFlow[bytes]:
        """The whole world as one document; the same bytes for the same world."""
        return (yield Request("GET", f"{self._path}/snapshot")).content

    @ClientMethod
    def restore(self, snapshot: bytes) -> RequestFlow[None]:
        """Replace the world with a snapshot, of this world or another."""
        yield Request("PUT", f"{self._path}/snapshot", snapshot)

    @ClientMethod
    def reset(self) -> RequestFlow[None]:
        """Reset the world to how it was made."""
        yield Request("POST", f"{self._path}/reset")

    @ClientMethod
    def drop(self) -> RequestFlow[None]:
        """Drop the world and everything in it."""
        yield Request("DELETE", self._path)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _wait(path: str, query: Mapping[str, object], timeout_s: float) -> Request:
    query, limit_s = {**query, "timeout_s": timeout_s}, timeout_s + TIMEOUT_S
    return Request("GET", path, query=query, timeout_s=limit_s)
