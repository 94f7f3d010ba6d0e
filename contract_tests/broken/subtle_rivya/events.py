"""Broken servers of Rivya that send events otherwise than promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from contract_tests.broken.broken_server import Answer, Delivery
from contract_tests.broken.changes import call_decoded, call_without_query
from contract_tests.broken.rivya.messages import (
    ENDPOINT,
    add,
    edit,
    is_event,
    on_answer,
    on_delivery,
)


def _sign_with_first_secret(answer: Answer) -> None:
    """Rotations return a secret that is not used."""
    if answer.status == 200 and answer.sent.path.endswith("/rotate-secret"):
        secret = "whsec_" + answer.json["signing_secret"][6:][::-1]
        preview = f"{secret[:8]}...{secret[-6:]}"
        answer.json = answer.json | {"signing_secret": secret, "secret_preview": preview}


def _old_url(answer: Answer) -> None:
    if answer.sent.method == "PATCH" and answer.status == 200 and "url" in answer.sent.json:
        answer.memory["moved"] = True


def _send_to_old_url(delivery: Delivery) -> None:
    if is_event(delivery):
        task_id = delivery.json["data"]["id"]
        first = delivery.memory.setdefault("first", delivery.url)
        if delivery.memory.get("moved") and task_id:
            delivery.url = first


def _send_first_of_two(delivery: Delivery) -> None:
    """Send each event to one endpoint only."""
    if is_event(delivery) and not delivery.json.get("test"):
        first = delivery.memory.setdefault(delivery.json["id"], delivery.url)
        delivery.copies = int(first == delivery.url)


def _drop_pro(delivery: Delivery) -> None:
    if is_event(delivery) and delivery.json["data"]["model"] == "hailuo-pro":
        delivery.copies = 0


def _drop_third(delivery: Delivery) -> None:
    seen = delivery.memory.setdefault("seen", set())
    if is_event(delivery) and not delivery.json.get("test"):
        seen.add(delivery.json["id"])
        delivery.copies = int(len(seen) < 3)


def _same_event_id(answer: Answer) -> None:
    if answer.status == 200:
        shown = answer.json
        for entry in shown["data"]:
            entry["event_id"] = shown["data"][0]["event_id"]
        answer.json = shown


def _show_all_deliveries(answer: Answer) -> None:
    """Show the deliveries of all endpoints in the list of each."""
    known: dict[str, Any] = answer.memory.setdefault("deliveries", {})
    if answer.status == 200:
        known |= {entry["id"]: entry for entry in answer.json["data"]}
        answer.json = answer.json | {"data": list(known.values())}


def _stop_after(attempts: int) -> Callable[[Delivery], None]:
    def change(delivery: Delivery) -> None:
        count = delivery.memory.setdefault("attempts", Counter())
        if is_event(delivery):
            count[delivery.body] += 1
            delivery.copies = int(count[delivery.body] <= attempts)

    return change


on_delivery("events-lose-the-query-of-the-url", "rule.event-after-the-end", call_without_query)
on_delivery("events-go-to-another-spelling-of-the-url", "rule.event-after-the-end", call_decoded)
on_answer("rotations-return-an-unused-secret", "rule.events-are-signed",
          f"POST {ENDPOINT}/rotate-secret", _sign_with_first_secret)  # fmt: skip
add("events-go-to-the-old-url", "rule.endpoint-can-be-changed",
    on_answer=_old_url, on_delivery=_send_to_old_url)  # fmt: skip
on_delivery("one-endpoint-gets-the-event", "rule.event-after-the-end", _send_first_of_two)
on_delivery("events-of-pro-never-come", "rule.event-after-the-end", _drop_pro)
on_delivery("the-third-event-never-comes", "rule.event-after-the-end", _drop_third)
on_answer("deliveries-name-one-event", "rule.deliveries-are-recorded",
          f"GET {ENDPOINT}/deliveries", _same_event_id)  # fmt: skip
on_answer("deliveries-of-all-endpoints-are-listed", "rule.deliveries-are-recorded",
          f"GET {ENDPOINT}/deliveries", _show_all_deliveries)  # fmt: skip
on_delivery("an-event-is-sent-four-times-at-most", "rule.failed-delivery-is-retried",
            _stop_after(4))  # fmt: skip
edit("failures-of-delivery-are-not-counted", "WebhookEndpoint.failure_count", f"GET {ENDPOINT}",
     lambda e: e.update(failure_count=0))  # fmt: skip
edit("failed-deliveries-have-no-status", "rule.deliveries-are-recorded",
     f"GET {ENDPOINT}/deliveries",
     lambda listed: [row.update(response_status=None) for row in listed["data"]])  # fmt: skip
