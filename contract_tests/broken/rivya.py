"""Rivya, broken: one promise each."""

from __future__ import annotations

import json
from typing import Any

from contract_tests.broken.breakage import Answered, Catalogue, Outgoing, Sent, drop, put

BROKEN = Catalogue("rivya")
edit, answer, request, delivery = BROKEN.edit, BROKEN.answer, BROKEN.request, BROKEN.delivery

ANY = r"\w+ /api/v1/.*"
CREATE = r"POST /api/v1/generations"
LOOK = r"GET /api/v1/generations/[^/]+"
GENERATION = f"{CREATE}|{LOOK}"
CREDITS = r"GET /api/v1/credits"
UPLOAD = r"POST /api/v1/files"
FILE = r"(POST|GET) /api/v1/files(/.*)?"
ENDPOINTS = r"\w+ /api/v1/webhooks(/[^/]+)?"
MINE = "rvya_sk_test"
STRANGER = "rvya_sk_second"


def succeeded(shown: Any) -> bool:
    """Whether this is a generation that succeeded."""
    return bool(shown.get("status") == "succeeded")


def failed(shown: Any) -> bool:
    """Whether this is a generation that failed."""
    return bool(shown.get("status") == "failed")


def is_running(shown: Any) -> bool:
    """Whether this is a generation under way."""
    return shown.get("status") in {"queued", "processing"}


# --- the generation object --------------------------------------------------------------------

edit("id-missing", "Generation.id", GENERATION, drop("id"))
edit("id-is-a-number", "Generation.id", GENERATION, lambda g: g.update(id=len(g["id"])))
edit("status-is-done", "Generation.status", GENERATION, put(status="done"), when=succeeded)
edit("status-is-internal", "Generation.status", LOOK, put(status="GENERATING"), when=is_running)
edit("status-missing", "Generation.status", LOOK, drop("status"))
edit("model-is-a-label", "Generation.model", GENERATION, put(model="Hailuo Pro"))
edit(
    "reserved-is-a-string", "Generation.reserved_credits", GENERATION,
    lambda g: g.update(reserved_credits=str(g["reserved_credits"])),
)  # fmt: skip
edit("reserved-is-another-price", "rule.reserves-the-price", CREATE, put(reserved_credits=58))
edit("reserved-forgotten-at-the-end", "rule.same-object-everywhere", LOOK,
     put(reserved_credits=0), when=succeeded)  # fmt: skip
edit("final-set-too-early", "rule.create-is-queued", CREATE,
     lambda g: g.update(final_credits=g["reserved_credits"]))  # fmt: skip
edit("final-never-set", "rule.success-takes-no-more", LOOK, put(final_credits=0), when=succeeded)
edit("failed-is-charged", "rule.failed-shape", LOOK, put(final_credits=30), when=failed)
edit("times-without-milliseconds", "Generation.created_at", GENERATION,
     lambda g: g.update(created_at=g["created_at"][:19] + "Z"))  # fmt: skip
edit("times-are-numbers", "Generation.updated_at", GENERATION, put(updated_at=1778457600))
edit("created-moves", "rule.same-object-everywhere", LOOK,
     lambda g: g.update(created_at=g["updated_at"]))  # fmt: skip
edit("updated-stands-still", "rule.updated-moves-forward", LOOK,
     lambda g: g.update(updated_at=g["created_at"]))  # fmt: skip
edit("result-is-null", "Generation?then.result", LOOK, put(result=None), when=succeeded)
edit("result-missing", "Generation.result", LOOK, drop("result"))
edit("result-before-success", "Generation?else?else.result", CREATE,
     put(result={"primary_url": "https://a.test/a", "urls": ["https://a.test/a"]}))  # fmt: skip
edit("primary-is-not-the-first", "rule.one-result", LOOK,
     lambda g: g["result"].update(primary_url="https://a.test/a"), when=succeeded)  # fmt: skip
edit("no-urls", "Generation.result.urls", LOOK, lambda g: g["result"].update(urls=[]),
     when=succeeded)  # fmt: skip
edit("two-results", "rule.one-result", LOOK,
     lambda g: g["result"]["urls"].append("https://a.test/b.mp4"), when=succeeded)  # fmt: skip
edit("error-while-queued", "Generation?else?else.error", CREATE,
     put(error={"code": "generation_failed", "message": "no"}))  # fmt: skip
edit("failure-without-message", "Generation.error.message", LOOK,
     lambda g: g["error"].pop("message"), when=failed)  # fmt: skip
edit("failure-of-another-code", "rule.failed-shape", LOOK,
     lambda g: g["error"].update(code="upstream_error"), when=failed)  # fmt: skip
edit("prompt-is-shown", "rule.no-private-fields", LOOK, put(prompt="a lighthouse"))
edit("created-as-processing", "rule.create-is-queued", CREATE, put(status="processing"))


def _one_id(answered: Answered) -> None:
    shown = answered.json
    if "id" in shown:
        shown["id"] = answered.memory.setdefault("id", shown["id"])
        answered.json = shown


answer("ids-repeat", "rule.ids-differ", CREATE, _one_id)


def _goes_back(answered: Answered) -> None:
    if succeeded(answered.json):
        answered.memory["ended"] = answered.memory.get("ended", 0) + 1
        if answered.memory["ended"] % 2 == 0:
            answered.json = answered.json | {"status": "processing", "result": None}


answer("status-goes-back", "rule.terminal-stays", LOOK, _goes_back)


def _forgets(answered: Answered) -> None:
    times = answered.memory.setdefault(answered.sent.path, [0])
    times[0] += succeeded(answered.json)
    if times[0] > 1:
        answered.status = 404
        answered.json = {"error": {"code": "not_found", "message": "gone", "requestId": "req_1"}}


answer("ended-generations-vanish", "rule.terminal-stays", LOOK, _forgets)


def _failed_is_an_error(answered: Answered) -> None:
    if failed(answered.json):
        answered.status = 500
        error = {"code": "internal_error", "message": "failed", "requestId": "req_1"}
        answered.json = {"error": error}


answer("a-failed-generation-is-a-500", "rule.status-is-200-in-every-state", LOOK,
       _failed_is_an_error)  # fmt: skip


# --- errors -----------------------------------------------------------------------------------


def _status(wrong: int, *codes: str) -> Any:
    """Answers with these codes get another status."""

    def change(answered: Answered) -> None:
        error = answered.json.get("error") if isinstance(answered.json, dict) else None
        if isinstance(error, dict) and error.get("code") in codes and answered.status >= 400:
            answered.status = wrong

    return change


def _code(right: str, wrong: str) -> Any:
    """One code is spelled like another."""

    def change(answered: Answered) -> None:
        if answered.status >= 400:
            answered.body = answered.body.replace(f'"{right}"'.encode(), f'"{wrong}"'.encode())

    return change


ERRORS = range(400, 600)
answer("missing-key-is-403", "error.api_key_missing", ANY, _status(403, "api_key_missing"))
answer("missing-key-is-called-invalid", "error.api_key_missing", ANY,
       _code("api_key_missing", "api_key_invalid"))  # fmt: skip
answer("revoked-is-called-invalid", "error.api_key_revoked", ANY,
       _code("api_key_revoked", "api_key_invalid"))  # fmt: skip
answer("validation-is-422", "error.validation_failed", ANY, _status(422, "validation_failed"))
answer("not-found-is-400", "error.not_found", LOOK, _status(400, "not_found"))
answer("poor-is-403", "error.insufficient_credits", CREATE, _status(403, "insufficient_credits"))
answer("conflict-is-422", "error.idempotency_conflict", CREATE,
       _status(422, "idempotency_conflict"))  # fmt: skip
answer("limit-is-503", "error.rate_limited", ANY, _status(503, "rate_limited"))
answer("scope-is-401", "error.api_scope_denied", ANY, _status(401, "api_scope_denied"))
answer("off-is-500", "error.public_api_disabled", ANY, _status(500, "public_api_disabled"))
answer("unknown-code", "error.validation_failed", ANY, _code("validation_failed", "bad_request"))
edit("request-id-missing", "RivyaError.error.requestId", ANY, lambda e: e["error"].pop("requestId"),
     statuses=ERRORS)  # fmt: skip
edit("request-id-has-another-name", "RivyaError.error.requestId", ANY,
     lambda e: e["error"].update(id=e["error"].pop("requestId")), statuses=ERRORS)  # fmt: skip
edit("request-id-is-always-the-same", "rule.request-ids-differ", ANY,
     lambda e: e["error"].update(requestId="req_0"), statuses=ERRORS)  # fmt: skip
edit("error-is-flat", "RivyaError.error", ANY, lambda e: e["error"], statuses=ERRORS)
edit("error-has-no-message", "RivyaError.error.message", ANY, lambda e: e["error"].pop("message"),
     statuses=ERRORS)  # fmt: skip
edit("unknown-and-foreign-differ", "rule.foreign-as-unknown", LOOK,
     lambda e: e["error"].update(message=str(id(e))), statuses=range(404, 405))  # fmt: skip


def _header(name: str, value: str | None, *statuses: int) -> Any:
    """A header of answers with these statuses gets another value, or is not there."""

    def change(answered: Answered) -> None:
        if answered.status in statuses:
            answered.headers.pop(name, None)
            answered.headers = {n: v for n, v in answered.headers.items() if n.lower() != name}
            if value is not None:
                answered.headers[name] = value

    return change


answer("errors-are-html", "rule.json-answers", ANY, _header("content-type", "text/html", 400, 404))
answer("no-www-authenticate", "header.WwwAuthenticate", ANY, _header("www-authenticate", None, 401))
answer("no-allow", "header.Allow", ANY, _header("allow", None, 405))
answer("allow-names-too-much", "rule.wrong-method", ANY, _header("allow", "GET, PUT, POST", 405))
answer("retry-after-is-a-date", "header.RivyaRetryAfter", ANY,
       _header("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT", 429))  # fmt: skip


# --- keys -------------------------------------------------------------------------------------


def _let_in(*keys: str) -> Any:
    """These keys open what the good one opens."""

    def change(sent: Sent) -> None:
        if sent.key in keys:
            sent.key = MINE

    return change


def _everybody(sent: Sent) -> None:
    if "authorization" not in sent.headers:
        sent.key = MINE


request("no-key-needed", "rule.every-operation-needs-a-key", ANY, _everybody)
request("revoked-keys-work", "error.api_key_revoked", ANY, _let_in("rvya_sk_revoked"))
request("expired-keys-work", "error.api_key_expired", ANY, _let_in("rvya_sk_expired"))
request("scopes-are-ignored", "error.api_scope_denied", ANY, _let_in("rvya_sk_without_scopes"))
request("one-scope-is-ignored", "error.api_scope_denied", CREDITS,
        _let_in("rvya_sk_without_scopes"))  # fmt: skip
request("limits-are-ignored", "error.rate_limited", ANY, _let_in("rvya_sk_limited"))
request("strangers-see-generations", "rule.foreign-as-unknown", LOOK, _let_in(STRANGER))
request("strangers-see-files", "rule.foreign-file-as-unknown", r"GET /api/v1/files/.+",
        _let_in(STRANGER))  # fmt: skip
request("strangers-see-endpoints", "rule.foreign-endpoint-as-unknown", ENDPOINTS,
        _let_in(STRANGER))  # fmt: skip
request("one-wallet-for-all", "rule.account-has-one-wallet", CREDITS, _let_in(STRANGER))


def _key_for_models(answered: Answered) -> None:
    if "authorization" not in answered.sent.headers:
        answered.status = 401
        answered.headers["www-authenticate"] = "Bearer"
        error = {"code": "api_key_missing", "message": "no", "requestId": "req_1"}
        answered.json = {"error": error}


answer("models-need-a-key", "rule.models-are-public", r"GET /api/v1/models", _key_for_models)


def _body_first(answered: Answered) -> None:
    if answered.status == 401 and answered.sent.body.startswith(b"{not"):
        answered.status = 400
        error = {"code": "validation_failed", "message": "not JSON", "requestId": "req_1"}
        answered.json = {"error": error}


answer("body-is-read-before-the-key", "rule.auth-before-body", ANY, _body_first)


# --- idempotency ------------------------------------------------------------------------------


def _without_key(sent: Sent) -> None:
    sent.headers.pop("idempotency-key", None)


def _lenient(sent: Sent) -> None:
    """The first body that came with a key stands for all that follow."""
    key = sent.headers.get("idempotency-key")
    if key:
        sent.body = sent.memory.setdefault(f"{sent.key} {key}", sent.body)


def _by_spelling(sent: Sent) -> None:
    key = sent.headers.get("idempotency-key", "")
    if key and len(key) < 200:
        sent.headers["idempotency-key"] = f"{key}-{len(sent.body)}"


def _burnt(answered: Answered) -> None:
    key = answered.sent.headers.get("idempotency-key")
    if key and answered.status == 400:
        answered.memory[key] = True
    elif key and answered.memory.get(key):
        answered.status = 409
        error = {"code": "idempotency_conflict", "message": "used", "requestId": "req_1"}
        answered.json = {"error": error}


def _shared(answered: Answered) -> None:
    key = answered.sent.headers.get("idempotency-key")
    if key and answered.status == 200:
        answered.body = answered.memory.setdefault(key, answered.body)


request("idempotency-is-ignored", "rule.replay-is-one-task", CREATE, _without_key)
request("no-conflict-for-another-body", "rule.other-body-conflicts", CREATE, _lenient)
request("spelling-makes-another-body", "rule.replay-ignores-spelling", CREATE, _by_spelling)
answer("a-refusal-burns-the-key", "rule.refusal-frees-the-key", CREATE, _burnt)
answer("keys-are-shared-by-accounts", "rule.key-belongs-to-account", CREATE, _shared)


# --- money ------------------------------------------------------------------------------------


def _costs(sent_or_answered: Answered, extra: int) -> None:
    memory = sent_or_answered.memory
    memory["extra"] = memory.get("extra", 0) + extra


def _shown_less(answered: Answered) -> None:
    """Each create and each replay of one is charged 30 more than it says."""
    if answered.sent.method == "POST" and answered.status == 200:
        seen = answered.memory.setdefault("ids", set())
        if answered.json.get("id") in seen:
            _costs(answered, 30)
        seen.add(answered.json.get("id"))
    elif answered.sent.path.endswith("/credits") and answered.status == 200:
        shown = answered.json
        shown["current_credits"] -= answered.memory.get("extra", 0)
        answered.json = shown


answer("replays-are-charged", "rule.replay-is-one-charge", f"{CREATE}|{CREDITS}", _shown_less)


def _never_given_back(answered: Answered) -> None:
    if failed(answered.json):
        answered.memory.setdefault("failed", set()).add(answered.json["id"])
    if answered.sent.path.endswith("/credits") and answered.status == 200:
        shown = answered.json
        shown["current_credits"] -= 30 * len(answered.memory.get("failed", ()))
        answered.json = shown


answer("failures-are-kept", "rule.failure-gives-back", f"{LOOK}|{CREDITS}", _never_given_back)


def _given_back_twice(answered: Answered) -> None:
    if failed(answered.json):
        answered.memory.setdefault("failed", set()).add(answered.json["id"])
    if answered.sent.path.endswith("/credits") and answered.status == 200:
        shown = answered.json
        shown["current_credits"] += 30 * len(answered.memory.get("failed", ()))
        answered.json = shown


answer("failures-are-given-back-twice", "rule.failure-gives-back", f"{LOOK}|{CREDITS}",
       _given_back_twice)  # fmt: skip


def _charged_late(answered: Answered) -> None:
    if answered.status == 200 and answered.sent.method == "POST":
        answered.memory["held"] = answered.memory.get("held", 0) + answered.json["reserved_credits"]
    if answered.sent.path.endswith("/credits") and answered.status == 200:
        shown = answered.json
        shown["current_credits"] += answered.memory.get("held", 0)
        answered.json = shown


answer("creating-takes-nothing", "rule.create-takes-the-price", f"{CREATE}|{CREDITS}",
       _charged_late)  # fmt: skip


def _on_credit(sent: Sent) -> None:
    if sent.key in {"rvya_sk_poor", "rvya_sk_one"}:
        sent.key = MINE


request("the-poor-are-served", "rule.too-poor", CREATE, _on_credit)
edit("credits-are-a-string", "Credits.current_credits", CREDITS,
     lambda c: c.update(current_credits=str(c["current_credits"])))  # fmt: skip


def _uploads_cost(answered: Answered) -> None:
    if answered.sent.method == "POST" and answered.status == 200:
        _costs(answered, 1)
    elif answered.sent.path.endswith("/credits") and answered.status == 200:
        shown = answered.json
        shown["current_credits"] -= answered.memory.get("extra", 0)
        answered.json = shown


answer("uploads-cost", "rule.reads-are-free", f"{UPLOAD}|{CREDITS}", _uploads_cost)


# --- what is accepted -------------------------------------------------------------------------


def _mend(change: Any) -> Any:
    """Let a wrong body through: mend it before the fake looks."""

    def on_request(sent: Sent) -> None:
        body = sent.json
        if isinstance(body, dict):
            change(body)
            sent.json = body

    return on_request


def _cut(body: Any) -> None:
    if isinstance(body.get("prompt"), str):
        body["prompt"] = body["prompt"][:1500]


def _fill(body: Any) -> None:
    if isinstance(body.get("prompt"), str) and not body["prompt"].strip():
        body["prompt"] = "a video"


def _known_params(body: Any) -> None:
    if isinstance(body.get("params"), dict):
        body["params"].pop("undocumented", None)
        body["params"].pop("seed", None)


def _two_references(body: Any) -> None:
    params = body.get("params")
    items = params.get("referenceMediaItems") if isinstance(params, dict) else None
    if isinstance(items, list):
        params["referenceMediaItems"] = items[:2]


def _strings(body: Any) -> None:
    if isinstance(body.get("params"), dict):
        for name, value in body["params"].items():
            if isinstance(value, bool | int):
                body["params"][name] = json.dumps(value)


def _any_model(body: Any) -> None:
    if body.get("model") in {"hailuo-next", "studio-sketch"}:
        body["model"] = "hailuo-pro"


def _short_trace(body: Any) -> None:
    if isinstance(body.get("client_request_id"), str):
        body["client_request_id"] = body["client_request_id"][:128]


request("long-prompts-pass", "rule.refuses-what-is-invalid", CREATE, _mend(_cut))
request("blank-prompts-pass", "GenerationRequest.prompt", CREATE, _mend(_fill))
request("unknown-params-pass", "rule.refuses-what-is-invalid", CREATE, _mend(_known_params))
request("three-references-pass", "GenerationRequest.params.referenceMediaItems", CREATE,
        _mend(_two_references))  # fmt: skip
request("json-options-pass", "rule.options-are-strings", CREATE, _mend(_strings))
request("files-pass", "GenerationRequest.files", CREATE, _mend(lambda b: b.pop("files", None)))
request("uncallable-models-pass", "rule.model-not-callable", CREATE, _mend(_any_model))
request("long-traces-pass", "GenerationRequest.client_request_id", CREATE, _mend(_short_trace))


def _strict(answered: Answered) -> None:
    known = {"model", "prompt", "params", "client_request_id", "files"}
    body = answered.sent.json
    if isinstance(body, dict) and set(body) - known and answered.status == 200:
        answered.status = 400
        error = {"code": "validation_failed", "message": "unknown field", "requestId": "req_1"}
        answered.json = {"error": error}


answer("unknown-fields-are-refused", "rule.unknown-fields-ignored", CREATE, _strict)


def _one_reference(answered: Answered) -> None:
    params = answered.sent.json.get("params") if isinstance(answered.sent.json, dict) else None
    items = params.get("referenceMediaItems") if isinstance(params, dict) else None
    if isinstance(items, list) and len(items) == 2 and answered.status == 200:
        answered.status = 400
        error = {"code": "validation_failed", "message": "one image", "requestId": "req_1"}
        answered.json = {"error": error}


answer("a-second-reference-is-refused", "rule.takes-what-is-valid", CREATE, _one_reference)


# --- models -----------------------------------------------------------------------------------

MODELS = r"GET /api/v1/models"


def _pro(change: Any) -> Any:
    return lambda listed: change(next(m for m in listed["data"] if m["id"] == "hailuo-pro"))


edit("list-has-another-price", "model.hailuo-pro.price_credits", MODELS, _pro(put(base_credits=75)))
edit("list-lacks-a-model", "rule.callable-models-listed", MODELS,
     lambda listed: listed.update(data=listed["data"][::2]))  # fmt: skip
edit("list-is-bare", "ModelList.object", MODELS, drop("object"))
edit("another-prompt-limit", "model.hailuo-pro.prompt", MODELS, _pro(put(max_prompt_length=2000)))
edit("params-are-an-object", "Model.params", MODELS, _pro(put(params={})))
edit("category-is-unknown", "Model.category", MODELS, _pro(put(category="movie")))


# --- files ------------------------------------------------------------------------------------

edit("size-is-wrong", "rule.upload-is-described", FILE, lambda f: f.update(size_bytes=1))
edit("type-is-guessed", "rule.upload-is-described", FILE, put(mime_type="image/png"))
edit("file-url-missing", "PublicApiFile.url", FILE, drop("url"))
edit("images-have-a-token", "rule.images-need-no-token", FILE, put(duration_token="t"))  # noqa: S106


def _trusts(sent: Sent) -> None:
    if b"just a text" in sent.body:
        sent.body = sent.body.replace(b"just a text\n", b"\x89PNG\r\n\x1a\n1234")


request("the-name-decides", "rule.bytes-decide", UPLOAD, _trusts)


def _other_bytes(answered: Answered) -> None:
    if answered.status == 200:
        answered.body = answered.body[:-1]


answer("uploads-come-back-shorter", "rule.upload-url-serves-the-bytes", r"GET /media/.+/files/.+",
       _other_bytes)  # fmt: skip


def _no_video(answered: Answered) -> None:
    answered.status, answered.body = 404, b"not here"


answer("results-lead-nowhere", "rule.result-is-a-video", r"GET /media/[^/]+/[^/]+\.mp4", _no_video)


# --- webhooks ---------------------------------------------------------------------------------


def _show_secret(answered: Answered) -> None:
    shown = answered.json
    secrets = answered.memory.setdefault("secrets", {})
    if isinstance(shown, dict) and "signing_secret" in shown:
        secrets[shown["id"]] = shown["signing_secret"]
    elif isinstance(shown, dict) and shown.get("id") in secrets:
        answered.json = shown | {"signing_secret": secrets[shown["id"]]}


answer("secrets-are-shown-again", "rule.secret-shown-once", ENDPOINTS, _show_secret)
edit("preview-is-the-secret", "rule.preview-fits-secret", r"POST /api/v1/webhooks",
     lambda e: e.update(secret_preview=e["signing_secret"]))  # fmt: skip
edit("endpoint-starts-disabled", "rule.endpoint-as-asked", r"POST /api/v1/webhooks",
     put(status="disabled"))  # fmt: skip
edit("endpoints-oldest-first", "rule.newest-first", r"GET /api/v1/webhooks",
     lambda listed: listed["data"].reverse())  # fmt: skip
edit("deleted-stays-active", "rule.deleted-is-revoked", r"DELETE /api/v1/webhooks/.+",
     put(status="active"))  # fmt: skip


def _old_secret(answered: Answered) -> None:
    shown = answered.json
    if "signing_secret" in shown:
        secret = answered.memory.setdefault(shown["id"], shown["signing_secret"])
        answered.json = shown | {"signing_secret": secret, "secret_preview": secret[:8] + "..."
                                 + secret[-6:]}  # fmt: skip


answer("rotation-keeps-the-secret", "rule.rotation-makes-a-new-secret",
       r"POST /api/v1/webhooks(/.+/rotate-secret)?", _old_secret)  # fmt: skip


def _private(sent: Sent) -> None:
    body = sent.json
    if isinstance(body, dict) and "//10." in str(body.get("url")):
        sent.json = body | {"url": "https://hooks.example.com/"}


request("private-addresses-pass", "rule.urls-must-be-public", r"POST /api/v1/webhooks", _private)


def _is_event(out: Outgoing) -> bool:
    return b"api_version" in out.body


def _unsigned(out: Outgoing) -> None:
    out.headers.pop("rivya-signature", None)


def _badly_signed(out: Outgoing) -> None:
    if "rivya-signature" in out.headers:
        out.headers["rivya-signature"] = out.headers["rivya-signature"][:-4] + "0000"


def _stale(out: Outgoing) -> None:
    if _is_event(out) and not out.json.get("test"):
        event = out.json
        event["data"]["status"] = "processing"
        out.json = event


def _twice(out: Outgoing) -> None:
    if _is_event(out):
        out.times = 2


def _never(out: Outgoing) -> None:
    if _is_event(out) and not out.json.get("test"):
        out.times = 0


def _other_type(out: Outgoing) -> None:
    if _is_event(out):
        out.json = out.json | {"type": "generation.failed"}


def _unmarked(out: Outgoing) -> None:
    if _is_event(out) and out.json.get("test"):
        event = out.json
        del event["test"]
        out.body = json.dumps(event).encode()


delivery("events-are-unsigned", "rule.events-are-signed", _unsigned)
delivery("signatures-are-wrong", "rule.events-are-signed", _badly_signed)
delivery("bodies-change-after-signing", "rule.events-are-signed", _stale)
delivery("events-come-twice", "rule.event-after-the-end", _twice)
delivery("events-never-come", "rule.event-after-the-end", _never)
delivery("event-type-is-wrong", "rule.event-type-fits", _other_type)
delivery("test-events-are-unmarked", "rule.test-event", _unmarked)
edit("deliveries-are-hidden", "rule.deliveries-are-recorded", r"GET /api/v1/webhooks/.+/deliveries",
     lambda listed: listed["data"].clear())  # fmt: skip
edit("attempts-are-strings", "WebhookDelivery.attempt", r"GET /api/v1/webhooks/.+/deliveries",
     lambda listed: [row.update(attempt="1") for row in listed["data"]])  # fmt: skip
