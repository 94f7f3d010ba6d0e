"""Broken servers of Rivya that keep files and webhooks otherwise, and send other events."""

from __future__ import annotations

import json
from typing import Any

from contract_tests.broken.broken_server import Answer, Delivery, SentRequest
from contract_tests.broken.changes import drop, put
from contract_tests.broken.rivya.messages import (
    ENDPOINTS,
    FILES,
    UPLOAD,
    edit,
    is_event,
    on_answer,
    on_body,
    on_delivery,
    on_request,
)

edit("size-is-wrong", "rule.upload-is-described", FILES, lambda f: f.update(size_bytes=1))
edit("type-is-guessed", "rule.upload-is-described", FILES, put(mime_type="image/png"))
edit("file-url-missing", "PublicApiFile.url", FILES, drop("url"))
edit("images-have-a-token", "rule.images-need-no-token", FILES, put(duration_token="t"))  # noqa: S106


def _replace_content(sent: SentRequest) -> None:
    if b"just a text" in sent.body:
        sent.body = sent.body.replace(b"just a text\n", b"\x89PNG\r\n\x1a\n1234")


on_request("the-name-decides", "rule.bytes-decide", UPLOAD, _replace_content)


def _drop_last_byte(answer: Answer) -> None:
    if answer.status == 200:
        answer.body = answer.body[:-1]


on_answer("uploads-come-back-shorter", "rule.upload-url-serves-the-bytes",
          r"GET /media/.+/files/.+", _drop_last_byte)  # fmt: skip


def _remove_video(answer: Answer) -> None:
    answer.status, answer.body = 404, b"not here"


on_answer(
    "results-lead-nowhere", "rule.result-is-a-video", r"GET /media/[^/]+/[^/]+\.mp4", _remove_video
)


def _show_secret_again(answer: Answer) -> None:
    shown = answer.json
    secrets = answer.memory.setdefault("secrets", {})
    if isinstance(shown, dict) and "signing_secret" in shown:
        secrets[shown["id"]] = shown["signing_secret"]
    elif isinstance(shown, dict) and shown.get("id") in secrets:
        answer.json = shown | {"signing_secret": secrets[shown["id"]]}


on_answer("secrets-are-shown-again", "rule.secret-shown-once", ENDPOINTS, _show_secret_again)
edit("preview-is-the-secret", "rule.preview-fits-secret", r"POST /api/v1/webhooks",
     lambda e: e.update(secret_preview=e["signing_secret"]))  # fmt: skip
edit("endpoint-starts-disabled", "rule.endpoint-as-asked", r"POST /api/v1/webhooks",
     put(status="disabled"))  # fmt: skip
edit("endpoints-oldest-first", "rule.newest-first", r"GET /api/v1/webhooks",
     lambda listed: listed["data"].reverse())  # fmt: skip
edit("deleted-stays-active", "rule.deleted-is-revoked", r"DELETE /api/v1/webhooks/.+",
     put(status="active"))  # fmt: skip


def _keep_secret(answer: Answer) -> None:
    shown = answer.json
    if "signing_secret" in shown:
        secret = answer.memory.setdefault(shown["id"], shown["signing_secret"])
        answer.json = shown | {"signing_secret": secret, "secret_preview": secret[:8] + "..."
                                 + secret[-6:]}  # fmt: skip


on_answer("rotation-keeps-the-secret", "rule.rotation-makes-a-new-secret",
          r"POST /api/v1/webhooks(/.+/rotate-secret)?", _keep_secret)  # fmt: skip


def _replace_private_url(body: Any) -> None:
    if "//10." in str(body.get("url")):
        body["url"] = "https://hooks.example.com/"


on_body("private-addresses-pass", "rule.urls-must-be-public", r"POST /api/v1/webhooks",
        _replace_private_url)  # fmt: skip


def _drop_signature(delivery: Delivery) -> None:
    delivery.headers.pop("rivya-signature", None)


def _change_signature(delivery: Delivery) -> None:
    if "rivya-signature" in delivery.headers:
        delivery.headers["rivya-signature"] = delivery.headers["rivya-signature"][:-4] + "0000"


def _change_body(delivery: Delivery) -> None:
    if is_event(delivery) and not delivery.json.get("test"):
        event = delivery.json
        event["data"]["status"] = "processing"
        delivery.json = event


on_delivery("events-are-unsigned", "rule.events-are-signed", _drop_signature)
on_delivery("signatures-are-wrong", "rule.events-are-signed", _change_signature)
on_delivery("bodies-change-after-signing", "rule.events-are-signed", _change_body)


def _send_twice(delivery: Delivery) -> None:
    if is_event(delivery):
        delivery.copies = 2


def _send_never(delivery: Delivery) -> None:
    if is_event(delivery) and not delivery.json.get("test"):
        delivery.copies = 0


def _change_type(delivery: Delivery) -> None:
    if is_event(delivery):
        delivery.json = delivery.json | {"type": "generation.failed"}


def _drop_test_mark(delivery: Delivery) -> None:
    if is_event(delivery) and delivery.json.get("test"):
        event = delivery.json
        del event["test"]
        delivery.body = json.dumps(event).encode()


on_delivery("events-come-twice", "rule.event-after-the-end", _send_twice)
on_delivery("events-never-come", "rule.event-after-the-end", _send_never)
on_delivery("event-type-is-wrong", "rule.event-type-fits", _change_type)
on_delivery("test-events-are-unmarked", "rule.test-event", _drop_test_mark)
edit("deliveries-are-hidden", "rule.deliveries-are-recorded", r"GET /api/v1/webhooks/.+/deliveries",
     lambda listed: listed["data"].clear())  # fmt: skip
edit("attempts-are-strings", "WebhookDelivery.attempt", r"GET /api/v1/webhooks/.+/deliveries",
     lambda listed: [row.update(attempt="1") for row in listed["data"]])  # fmt: skip
