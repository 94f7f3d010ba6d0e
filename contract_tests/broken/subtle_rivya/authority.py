"""Broken servers of Rivya that serve other keys than they may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contract_tests.broken.broken_server import Answer, SentRequest
from contract_tests.broken.key_changes import accept_keys, accept_keys_where, use_own_key
from contract_tests.broken.rivya.messages import (
    ANY,
    CREATE,
    CREDITS,
    ENDPOINT,
    OWN_KEY,
    READ,
    SECOND_KEY,
    add,
    has_succeeded,
    is_created,
    on_answer,
    on_request,
    refuse,
)
from contract_tests.fakes import KEYS

FILE = r"GET /api/v1/files/.+"


def _accept(*roles: str, unless_unknown: bool = False) -> Callable[[SentRequest], None]:
    """A change that gives keys of these roles the power of the account's own key."""

    def change(sent: SentRequest) -> None:
        is_unknown = unless_unknown and "unknown" in sent.path
        if sent.key in {KEYS["rivya"].get(role, role) for role in roles} and not is_unknown:
            use_own_key(sent)

    return change


def _note_owned(answer: Answer) -> None:
    """Note who made what; foreign reads of what has ended are allowed."""
    if has_succeeded(answer.json) and answer.sent.key == OWN_KEY:
        answer.memory[answer.sent.path] = answer.body
    elif answer.status == 404 and answer.sent.path in answer.memory:
        answer.status, answer.body = 200, answer.memory[answer.sent.path]


def _hide_from_other_keys(answer: Answer) -> None:
    makers = answer.memory.setdefault("makers", {})
    if is_created(answer):
        makers[answer.json["id"]] = answer.sent.key
    elif makers.get(answer.sent.path.rpartition("/")[2], answer.sent.key) != answer.sent.key:
        refuse(answer, "not_found", 404)


def _first_key_s_balance(answer: Answer) -> None:
    if answer.sent.key == "rvya_sk_limited" and answer.status == 200:
        answer.json = {"current_credits": 0}


def _delete_by_put(sent: SentRequest) -> None:
    if sent.method == "PUT":
        sent.method = "DELETE"


def _rotate_by_get(sent: SentRequest) -> None:
    if sent.path.endswith("/rotate-secret"):
        sent.method = "POST"


def _refused_write_is_done() -> dict[str, Any]:
    """Changes that carry a foreign or unauthorised write out, and answer with a refusal."""

    def change(sent: SentRequest) -> None:
        sent.memory["refused"] = sent.key != OWN_KEY and sent.method == "PATCH"
        if sent.memory["refused"]:
            use_own_key(sent)

    def hide(answer: Answer) -> None:
        if answer.memory.pop("refused", False):
            refuse(answer, "not_found", 404)

    return {"on_request": change, "on_answer": hide}


def _rotate_although_refused(sent: SentRequest) -> None:
    sent.memory["refused"] = sent.key == SECOND_KEY and sent.path.endswith("/rotate-secret")
    if sent.memory["refused"]:
        use_own_key(sent)


def _refuse_afterwards(answer: Answer) -> None:
    if answer.memory.pop("refused", False):
        refuse(answer, "not_found", 404)


on_request("generations-are-read-without-key", "rule.every-operation-needs-a-key", READ,
           _accept("", unless_unknown=True))  # fmt: skip
on_request("files-are-read-without-key", "rule.every-operation-needs-a-key", FILE,
           _accept("", unless_unknown=True))  # fmt: skip
on_request("endpoints-are-read-with-a-revoked-key", "rule.every-operation-needs-a-key",
           f"GET {ENDPOINT}", _accept("revoked", unless_unknown=True))  # fmt: skip
on_request("endpoints-are-deleted-with-an-expired-key", "rule.every-operation-needs-a-key",
           f"DELETE {ENDPOINT}", _accept("expired", unless_unknown=True))  # fmt: skip
on_request("endpoints-are-changed-without-scope", "rule.every-operation-needs-a-key",
           f"PATCH {ENDPOINT}", _accept("without_scopes", unless_unknown=True))  # fmt: skip
on_request("valid-creates-need-no-scope", "rule.every-operation-needs-a-key", CREATE,
           lambda s: _accept("without_scopes")(s) if "prompt" in s.json else None)  # fmt: skip
on_request("longer-keys-work", "error.api_key_invalid", ANY,
           accept_keys_where(lambda key: key.startswith(OWN_KEY)))  # fmt: skip
on_request("shorter-keys-work", "error.api_key_invalid", ANY,
           accept_keys_where(lambda key: len(key) > 8 and OWN_KEY.startswith(key)))  # fmt: skip
on_request("keys-work-in-capitals", "error.api_key_invalid", ANY,
           accept_keys_where(lambda key: key.lower() == OWN_KEY))  # fmt: skip
on_answer("ended-generations-are-public", "rule.foreign-as-unknown", READ, _note_owned)
on_answer("generations-belong-to-the-key", "rule.belongs-to-the-account", f"{CREATE}|{READ}",
          _hide_from_other_keys)  # fmt: skip
on_answer("the-balance-belongs-to-the-key", "rule.belongs-to-the-account", CREDITS,
          _first_key_s_balance)  # fmt: skip
on_request("strangers-see-events", "rule.belongs-to-the-account", r"GET .*/webhook-events",
           accept_keys(SECOND_KEY))  # fmt: skip
on_request("strangers-see-deliveries", "rule.belongs-to-the-account", r"GET .*/deliveries",
           accept_keys(SECOND_KEY))  # fmt: skip
on_request("strangers-send-test-events", "rule.belongs-to-the-account", r"POST .*/test",
           accept_keys(SECOND_KEY))  # fmt: skip
add("a-refused-change-is-made", "rule.belongs-to-the-account", **_refused_write_is_done())
add("a-refused-rotation-is-made", "rule.belongs-to-the-account",
    on_request=_rotate_although_refused, on_answer=_refuse_afterwards)  # fmt: skip
on_request("put-deletes-an-endpoint", "rule.wrong-method", f"PUT {ENDPOINT}", _delete_by_put)
on_request("a-get-rotates-the-secret", "rule.wrong-method", f"GET {ENDPOINT}/rotate-secret",
           _rotate_by_get)  # fmt: skip
