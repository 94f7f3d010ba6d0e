"""Broken servers of Rivya that keep webhook endpoints otherwise than asked."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from contract_tests.broken.broken_server import Answer, SentRequest
from contract_tests.broken.rivya.messages import ENDPOINT, edit, on_answer, on_request, refuse

LIST = r"GET /api/v1/webhooks"
ONE_OR_MORE = r"(GET|POST|PATCH) /api/v1/webhooks(/[^/]+)?"
BOTH = ["generation.succeeded", "generation.failed"]


def _each_endpoint(change: Callable[[Any], Any]) -> Callable[[Any], None]:
    """A change of an endpoint, or of each in a list."""

    def change_all(shown: Any) -> None:
        for entry in shown.get("data", [shown]):
            change(entry)

    return change_all


def _rename(change_text: Callable[[str], str], field: str = "name") -> Callable[[Any], None]:
    return _each_endpoint(lambda entry: entry.update({field: change_text(entry[field])}))


def _replace_url(*parts: str) -> Callable[[SentRequest], None]:
    """A change of URLs with one of these parts into a public one."""

    def change(sent: SentRequest) -> None:
        body = sent.json
        if isinstance(body, dict) and any(part in str(body.get("url")) for part in parts):
            sent.json = body | {"url": "https://hooks.example.com/"}

    return change


def _refuse_url(part: str) -> Callable[[Answer], None]:
    def change(answer: Answer) -> None:
        if answer.status == 200 and part in str(answer.sent.json.get("url")):
            refuse(answer, "webhook_url_rejected")

    return change


def _keep_refused_name(answer: Answer) -> None:
    """Show the name of a refused change from then on."""
    names = answer.memory.setdefault("names", {})
    body, shown = answer.sent.json, answer.json
    if answer.sent.method == "PATCH" and answer.status == 400 and "name" in body:
        names[answer.sent.path.rpartition("/")[2]] = body["name"]
    if answer.status == 200:
        for entry in shown.get("data", [shown]):
            entry["name"] = names.get(entry["id"], entry["name"])
        answer.json = shown


def _keep_refused_create(answer: Answer) -> None:
    if answer.sent.method == "POST" and answer.status == 400:
        answer.memory["refused"] = True
    elif answer.status == 200 and answer.memory.get("refused") and answer.json.get("data"):
        shown = answer.json
        shown["data"].insert(0, shown["data"][0] | {"id": "whend_refused"})
        answer.json = shown


def _complete_change(**defaults: Any) -> Callable[[SentRequest], None]:
    """A change of a PATCH that sets fields it does not name."""

    def change(sent: SentRequest) -> None:
        if isinstance(sent.json, dict):
            sent.json = defaults | sent.json

    return change


def _keep_second_secret(answer: Answer) -> None:
    shown = answer.json
    if answer.status == 200:
        count = answer.memory.setdefault("count", Counter())
        count[shown["id"]] += 1
        if count[shown["id"]] > 1:
            shown["signing_secret"] = answer.memory[shown["id"]]
            answer.json = shown
        answer.memory[shown["id"]] = shown["signing_secret"]


def _show_secret_in_changes(answer: Answer) -> None:
    shown = answer.json
    if answer.status == 200 and "signing_secret" in shown:
        answer.memory[shown["id"]] = shown["signing_secret"]
    elif answer.status == 200 and answer.sent.method == "PATCH" and shown["id"] in answer.memory:
        answer.json = shown | {"signing_secret": answer.memory[shown["id"]]}


def _echo_change(answer: Answer) -> None:
    if answer.status == 200 and isinstance(answer.sent.json, dict):
        answer.json = answer.json | answer.sent.json


def _hide_neighbour(answer: Answer) -> None:
    if answer.sent.method == "DELETE" and answer.status == 200:
        answer.memory["deleted"] = True
    elif answer.memory.get("deleted") and answer.status == 200 and len(answer.json["data"]) > 3:
        answer.json = answer.json | {"data": answer.json["data"][:-1]}


def _changed_first(answer: Answer) -> None:
    if answer.sent.method == "PATCH":
        answer.memory["last"] = answer.sent.path.rpartition("/")[2]
    elif answer.status == 200 and "data" in answer.json:
        last = answer.memory.get("last")
        entries = sorted(answer.json["data"], key=lambda entry: entry["id"] != last)
        answer.json = answer.json | {"data": entries}


edit("names-are-ascii", "rule.endpoint-as-asked", ONE_OR_MORE,
     _rename(lambda name: name.encode("ascii", "replace").decode()))  # fmt: skip
edit("names-lose-emoji", "rule.endpoint-as-asked", ONE_OR_MORE,
     _rename(lambda name: "".join(c for c in name if ord(c) < 65536)))  # fmt: skip
edit("names-are-normalised", "rule.endpoint-as-asked", ONE_OR_MORE,
     _rename(lambda name: unicodedata.normalize("NFC", name)))  # fmt: skip
edit("names-are-trimmed", "rule.endpoint-as-asked", ONE_OR_MORE, _rename(str.strip))
edit("names-are-escaped", "rule.endpoint-as-asked", ONE_OR_MORE, _rename(html.escape))
edit("names-are-cut-at-255", "rule.endpoint-as-asked", ONE_OR_MORE, _rename(lambda n: n[:255]))
edit("names-like-nothing-are-empty", "rule.endpoint-as-asked", ONE_OR_MORE,
     _rename(lambda name: "" if name in {"0", "null", "false"} else name))  # fmt: skip
edit("urls-lose-their-query", "rule.endpoint-as-asked", ONE_OR_MORE,
     _rename(lambda url: url.partition("?")[0], "url"))  # fmt: skip
edit("urls-are-decoded", "rule.endpoint-as-asked", ONE_OR_MORE, _rename(unquote, "url"))
edit(
    "urls-get-a-lower-case-host",
    "rule.endpoint-as-asked",
    ONE_OR_MORE,
    _rename(lambda url: re.sub("^[^/]+//[^/?]+", lambda m: m[0].lower(), url), "url"),
)
edit("urls-get-a-slash", "rule.endpoint-as-asked", ONE_OR_MORE,
     _rename(lambda url: url + "/" if url.count("/") == 2 else url, "url"))  # fmt: skip
edit("types-are-sorted", "rule.endpoint-as-asked", ONE_OR_MORE,
     _each_endpoint(lambda entry: entry["event_types"].sort()))  # fmt: skip
on_request("changes-take-any-address", "rule.urls-must-be-public", f"PATCH {ENDPOINT}",
           _replace_url("10.", "192.168", "[f", "LOCAL"))  # fmt: skip
on_request("mapped-addresses-pass", "rule.urls-must-be-public", r"POST /api/v1/webhooks",
           _replace_url("[::ffff"))  # fmt: skip
on_request("private-addresses-end-too-early", "rule.urls-must-be-public",
           r"POST /api/v1/webhooks", _replace_url("172.31"))  # fmt: skip
on_request("shared-addresses-pass", "rule.urls-must-be-public", r"POST /api/v1/webhooks",
           _replace_url("100.64"))  # fmt: skip
on_request("empty-user-info-passes", "rule.urls-must-be-public", r"POST /api/v1/webhooks",
           _replace_url("//@"))  # fmt: skip
on_request("empty-fragments-pass", "rule.urls-must-be-public", r"POST /api/v1/webhooks",
           _replace_url("/#"))  # fmt: skip
on_request("local-names-pass-in-capitals", "rule.urls-must-be-public", r"POST /api/v1/webhooks",
           _replace_url("LOCAL"))  # fmt: skip
on_answer("all-of-172-is-private", "rule.takes-what-is-valid", r"POST /api/v1/webhooks",
          _refuse_url("//172.32."))  # fmt: skip
on_answer("a-refused-change-keeps-the-name", "rule.refuses-what-is-invalid", ONE_OR_MORE,
          _keep_refused_name)  # fmt: skip
on_answer("a-refused-endpoint-is-listed", "rule.refuses-what-is-invalid", ONE_OR_MORE,
          _keep_refused_create)  # fmt: skip
on_request("changes-reset-the-types", "rule.endpoint-can-be-changed", f"PATCH {ENDPOINT}",
           _complete_change(event_types=BOTH))  # fmt: skip
on_request("changes-reset-the-name", "rule.endpoint-can-be-changed", f"PATCH {ENDPOINT}",
           _complete_change(name=""))  # fmt: skip
on_request("changes-enable-the-endpoint", "rule.endpoint-can-be-changed", f"PATCH {ENDPOINT}",
           _complete_change(status="active"))  # fmt: skip
on_answer("the-second-rotation-keeps-the-secret", "rule.rotation-makes-a-new-secret",
          f"POST {ENDPOINT}/rotate-secret", _keep_second_secret)  # fmt: skip
on_answer("changes-show-the-secret", "rule.secret-shown-once", r"\w+ /api/v1/webhooks(/[^/]+)?",
          _show_secret_in_changes)  # fmt: skip
on_answer("changes-take-fields-of-the-server", "rule.endpoint-can-be-changed", f"PATCH {ENDPOINT}",
          _echo_change)  # fmt: skip
edit("enabling-keeps-disabled-at", "rule.endpoint-can-be-changed", f"PATCH {ENDPOINT}",
     lambda e: e.update(disabled_at=e["disabled_at"] or e["created_at"]))  # fmt: skip
edit("the-list-has-20", "rule.endpoint-as-asked", LIST,
     lambda listed: listed.update(data=listed["data"][:20]))  # fmt: skip
edit("the-list-repeats-the-tenth", "rule.endpoint-as-asked", LIST,
     lambda listed: listed.update(data=listed["data"][:10] + listed["data"][9:]))  # fmt: skip
on_answer("deleting-one-hides-another", "rule.deleted-is-revoked", f"{LIST}|DELETE {ENDPOINT}",
          _hide_neighbour)  # fmt: skip
on_answer("a-changed-endpoint-comes-first", "rule.newest-first", f"{LIST}|PATCH {ENDPOINT}",
          _changed_first)  # fmt: skip
