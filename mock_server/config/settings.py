"""Every knob of the server in one frozen value: name with unit, default, a sentence.

A setting comes from a flag, else the environment, else the file, else its default. An unknown
name or a wrong value stops the start and says where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct

from mock_server.core.clock import SignaturesBy
from mock_server.core.durations import Seconds
from mock_server.core.numbers import MOST

Credits = Annotated[int, Meta(ge=0, le=10**15)]
"""Far below the largest number that a snapshot may hold: what is spent is granted on top of it."""
Bytes = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=1)]
Timeout = Annotated[float, Meta(gt=0, le=3600)]
Scope = Literal[
    "models:read",
    "generations:create",
    "generations:read",
    "files:create",
    "files:read",
    "credits:read",
    "webhooks:manage",
    "chat:create",
    "chat:read",
]
KeyApi = Literal["rivya", "acedata", "other"]
ALL_SCOPES: tuple[Scope, ...] = get_args(Scope)


_KEY = r"^[\x21-\x7E]+$"
_ACCOUNT = r"^[A-Za-z0-9._-]{1,64}$"
_HEADER = r"^[A-Za-z0-9-]+$"
_PORT = r"(?:[0-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])"
_IN_PATH = r"[A-Za-z0-9/._~!$&'()*+,;=:@%-]"
_BASE_URL = rf"^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:{_PORT})?(/{_IN_PATH}*)?$"
_HOST = r"^[A-Za-z0-9._-]+$|^\[?[0-9A-Fa-f:.]+\]?$"
_ORIGIN = r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#@*\s]+$"
_SCENARIO = r"^[A-Za-z0-9_.-]+$"
RIGHT: Mapping[str, str] = {
    _KEY: "must be visible ASCII characters without spaces",
    _ACCOUNT: "must be 1 to 64 of A to Z, a to z, digits, dot, hyphen and underscore",
    _HEADER: "must be a header's name: letters, digits and hyphens",
    _BASE_URL: "must be a URL that begins with http:// or https://, like http://mock.example:4010",
    _HOST: "must be a host without port and path, like mock.example",
    _ORIGIN: "must be an origin without path and star, like http://localhost:5173",
    _SCENARIO: "must be a scenario's name; hailuo-mock scenarios lists them",
}
"""What would be right, for each pattern of a setting."""

HostName = Annotated[str, Meta(pattern=_HOST)]
Origin = Annotated[str, Meta(pattern=_ORIGIN)]


class KeySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A credential of an account."""

    key: Annotated[str, Meta(min_length=1, max_length=512, pattern=_KEY)]
    api: KeyApi
    scopes: tuple[Scope, ...] = ALL_SCOPES
    revoked: bool = False
    disabled: bool = False
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None
    rate_limit: Annotated[int, Meta(ge=0, le=MOST)] | None = None


class AccountSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody with credits and keys."""

    name: Annotated[str, Meta(pattern=_ACCOUNT)]
    credits: Credits
    keys: tuple[KeySettings, ...]


class ClockSettings(Struct, frozen=True):
    """The time of the default world; `signatures` is for every world that has no other."""

    mode: Annotated[
        Literal["real", "frozen"], Meta(description="a frozen clock moves only when told to")
    ] = "real"
    start: Annotated[
        Annotated[datetime, Meta(tz=True)] | None,
        Meta(description="the first moment, like 2026-05-11T00:00:00Z; unset: now"),
    ] = None
    signatures: Annotated[
        SignaturesBy, Meta(description="machine: date signatures by this machine's clock")
    ] = "world"


class TaskSettings(Struct, frozen=True):
    """How long tasks take, in seconds of the world's clock, and how many break."""

    queued_s: Annotated[Seconds, Meta(description="seconds from create to processing")] = 0.2
    processing_s: Annotated[Seconds, Meta(description="seconds from processing to the end")] = 0.8
    failure_rate: Annotated[
        float, Meta(ge=0, le=1, description="share of tasks that fail, drawn from the seed")
    ] = 0.0


class LimitSettings(Struct, frozen=True):
    """How much is too much."""

    header_bytes: Annotated[
        int, Meta(ge=1024, description="all headers of a request, in bytes; 431 past it")
    ] = 64 * 1024
    url_bytes: Annotated[
        int, Meta(ge=256, description="longest URL of a request, in bytes; 414 past it")
    ] = 8 * 1024
    head_timeout_s: Annotated[
        Timeout, Meta(description="real seconds until URL and headers have to be there")
    ] = 10.0
    body_timeout_s: Annotated[
        Timeout, Meta(description="real seconds until the body has to be there")
    ] = 120.0
    held_requests: Annotated[
        int, Meta(ge=1, description="requests that are answered at once; 429 past it")
    ] = 5000
    body_bytes: Annotated[Bytes, Meta(description="largest JSON body, in bytes")] = 1024 * 1024
    json_depth: Annotated[int, Meta(ge=1, le=500, description="deepest nesting of a body")] = 64
    json_values: Annotated[
        int, Meta(ge=1, description="most values in a JSON body: texts, numbers, lists, objects")
    ] = 40_000
    whole_request_bytes: Annotated[
        int, Meta(ge=0, description="a longer request is kept without what its API ignores")
    ] = 4096
    upload_bytes: Annotated[Bytes, Meta(description="largest upload form, in bytes")] = (
        100 * 1024 * 1024
    )
    stored_upload_bytes: Annotated[
        Bytes, Meta(description="all stored uploads together, in bytes")
    ] = 1 << 30
    stored_uploads: Annotated[Count, Meta(description="stored uploads of a world")] = 10_000
    snapshot_bytes: Annotated[Bytes, Meta(description="largest snapshot put back, in bytes")] = (
        1 << 30
    )
    journal_exchanges: Annotated[int, Meta(ge=1, description="requests the journal keeps")] = 1000
    journal_body_bytes: Annotated[
        int, Meta(ge=0, description="bytes of each body that the journal keeps")
    ] = 64 * 1024
    journal_header_bytes: Annotated[
        int, Meta(ge=0, description="bytes of each request's headers that the journal keeps")
    ] = 16 * 1024
    worlds: Annotated[Count, Meta(description="worlds of the server")] = 2000
    accounts: Annotated[Count, Meta(description="accounts of a world")] = 1000
    keys: Annotated[Count, Meta(description="keys of a world")] = 10_000
    faults: Annotated[Count, Meta(description="faults set in a world")] = 1000
    fault_patterns: Annotated[
        Count, Meta(description="regular expressions in the faults set in a world")
    ] = 50
    fault_pointer_steps: Annotated[
        Count, Meta(description="steps of the JSON Pointers in the faults set in a world")
    ] = 10_000
    webhook_endpoints: Annotated[
        Count, Meta(description="webhook endpoints of a world, revoked ones too")
    ] = 1000
    inboxes: Annotated[Count, Meta(description="inboxes of a world")] = 100
    inbox_bytes: Annotated[
        Bytes, Meta(description="bytes of requests that all inboxes of a world keep")
    ] = 64 * 1024 * 1024


class DeliverySettings(Struct, frozen=True):
    """How deliveries are carried out."""

    timeout_s: Annotated[
        float, Meta(gt=0, le=3600, description="real seconds a receiver has for its whole answer")
    ] = 10.0
    per_receiver: Annotated[int, Meta(ge=1, description="attempts at once to one receiver")] = 8
    at_once: Annotated[int, Meta(ge=1, description="attempts at once in all")] = 256
    obey_retry_after: Annotated[
        bool, Meta(description="try no sooner than a receiver's Retry-After says")
    ] = True
    kept: Annotated[int, Meta(ge=1, description="deliveries that can still be looked at")] = 10_000
    tests_waiting: Annotated[
        Count, Meta(description="deliveries that may wait when a webhook is tested")
    ] = 10_000
    attempts: Annotated[
        Count, Meta(description="attempts after which a delivery is not sent again by hand")
    ] = 1000


class IdempotencySettings(Struct, frozen=True):
    """Repeated creates."""

    lifetime_s: Annotated[Seconds, Meta(description="seconds an Idempotency-Key is remembered")] = (
        24 * 3600
    )


class RivyaSettings(Struct, frozen=True):
    """Choices where Rivya's documents leave room."""

    api_enabled: Annotated[bool, Meta(description="false: everything is public_api_disabled")] = (
        True
    )
    create_status: Annotated[
        Literal[200, 201, 202], Meta(description="status of a successful create or upload")
    ] = 200
    insufficient_credits_status: Annotated[
        int, Meta(ge=400, le=499, description="status of insufficient_credits")
    ] = 402
    params: Annotated[
        Literal["strict", "lenient"],
        Meta(description="lenient lets unknown params, true and 6 through"),
    ] = "strict"
    references: Annotated[
        Literal["any", "own"], Meta(description="own: references must be the account's uploads")
    ] = "any"
    prompt_unit: Annotated[
        Literal["utf16", "codepoints"], Meta(description="what the prompt limit counts")
    ] = "utf16"
    rate_limit: Annotated[
        int, Meta(ge=0, description="requests per window and key; 0: any number")
    ] = 0
    rate_window_s: Annotated[
        float, Meta(gt=0, le=10**9, description="length of a rate window in seconds")
    ] = 60.0
    retry_after: Annotated[bool, Meta(description="send Retry-After with a 429")] = True
    webhook_waits_s: Annotated[
        tuple[Seconds, ...], Meta(description="seconds before each new attempt at a webhook")
    ] = (30.0, 120.0, 600.0, 3600.0, 21600.0)
    gone_disables: Annotated[
        bool, Meta(description="switch a webhook endpoint off that answers 410")
    ] = False
    rotation_overlap_s: Annotated[
        Seconds, Meta(description="seconds a replaced secret still signs beside the new one")
    ] = 0.0
    webhook_signature: Annotated[
        Literal["rivya", "standard"],
        Meta(description="how webhooks are signed; standard: as Standard Webhooks has it"),
    ] = "rivya"
    signature_header: Annotated[
        str, Meta(pattern=_HEADER, description="the header of Rivya's own signature")
    ] = "Rivya-Signature"


class AceDataSettings(Struct, frozen=True):
    """Choices where Ace Data Cloud's documents leave room."""

    implemented: Annotated[bool, Meta(description="false: every path is api_not_implemented")] = (
        True
    )
    hold_limit_s: Annotated[
        Seconds, Meta(description="longest seconds a request is held open before 504")
    ] = 1800.0
    moderated_words: Annotated[
        tuple[str, ...], Meta(description="a prompt with one of these words is forbidden")
    ] = ()
    failed_task_finished_at: Annotated[
        bool, Meta(description="whether a failed task shows finished_at and elapsed")
    ] = True
    callback_waits_s: Annotated[
        tuple[Seconds, ...],
        Meta(description="seconds before each new attempt; none: one attempt"),
    ] = ()
    sign_callbacks: Annotated[
        bool, Meta(description="sign callbacks if the request held a callback_secret")
    ] = False
    first_image_url_in_results: Annotated[
        Literal["documented", "always", "never"],
        Meta(description="which answers show first_image_url"),
    ] = "documented"
    rate_limit: Annotated[
        int, Meta(ge=0, description="requests per window and key; 0: any number")
    ] = 0
    rate_window_s: Annotated[
        float, Meta(gt=0, le=10**9, description="length of a rate window in seconds")
    ] = 60.0
    retry_after: Annotated[bool, Meta(description="send Retry-After with a 429")] = True


DEFAULT_ACCOUNTS = (
    AccountSettings("rivya-test", 1_000_000, (KeySettings(key="rvya_sk_test", api="rivya"),)),
    AccountSettings(
        "acedata-test", 1_000_000, (KeySettings(key="test-token", api="acedata", scopes=()),)
    ),
)


class Settings(Struct, frozen=True):
    """Everything the server can be told."""

    host: Annotated[str, Meta(min_length=1, description="address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="port; 0 picks a free one")] = 4010
    seed: Annotated[
        int, Meta(ge=0, le=2**63 - 1, description="same seed, same ids and chances")
    ] = 1
    time_scale: Annotated[
        float, Meta(gt=0, le=10**6, description="60: a minute passes in a second")
    ] = 1.0
    public_url: Annotated[
        Annotated[str, Meta(pattern=_BASE_URL)] | None,
        Meta(description="start of every URL handed out; unset: the Host the client used"),
    ] = None
    callback_hosts: Annotated[
        tuple[str, ...],
        Meta(description="hosts that may be called; loopback: this machine, *: all, *.a.test"),
    ] = ("loopback",)
    webhook_urls: Annotated[
        Literal["local", "strict"],
        Meta(description="local: webhooks may go to this machine and to callback_hosts"),
    ] = "local"
    scenario: Annotated[
        Annotated[str, Meta(pattern=_SCENARIO)] | None,
        Meta(description="what goes wrong with every request that asks for nothing else"),
    ] = None
    scenario_dir: Annotated[
        str | None, Meta(description="a folder with scenario files of your own")
    ] = None
    control_token: Annotated[
        Annotated[str, Meta(pattern=_KEY)] | None,
        Meta(description="what /_mock/ asks for, in the header Mock-Control-Token"),
    ] = None
    control_hosts: Annotated[
        tuple[HostName, ...],
        Meta(description="other names than localhost for /_mock/ without a token"),
    ] = ()
    browser_origins: Annotated[
        tuple[Origin, ...],
        Meta(description="origins whose web pages may use all of this"),
    ] = ()
    mock_headers: Annotated[bool, Meta(description="send Mock-World and Mock-Request")] = True
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="how much goes to stderr")
    ] = "info"
    clock: ClockSettings = ClockSettings()
    tasks: TaskSettings = TaskSettings()
    limits: LimitSettings = LimitSettings()
    idempotency: IdempotencySettings = IdempotencySettings()
    deliveries: DeliverySettings = DeliverySettings()
    rivya: RivyaSettings = RivyaSettings()
    acedata: AceDataSettings = AceDataSettings()
    accounts: Annotated[
        tuple[AccountSettings, ...], Meta(description="who has which keys and credits")
    ] = DEFAULT_ACCOUNTS

    def __post_init__(self) -> None:
        """`public_url` ends without a slash: every path put behind it begins with one."""
        if self.public_url is not None:
            msgspec.structs.force_setattr(self, "public_url", self.public_url.rstrip("/"))


class Knob(Struct, frozen=True):
    """One setting: its dotted name, type, default and sentence."""

    name: str
    kind: Any
    default: Any
    sentence: str


def knobs() -> Iterator[Knob]:
    """Every setting there is, in the order of the file."""
    yield from _knobs_of(Settings, "")


def _knobs_of(owner: type[Struct], prefix: str) -> Iterator[Knob]:
    hints = get_type_hints(owner, include_extras=True)
    for field in msgspec.structs.fields(owner):
        kind = hints[field.name]
        if isinstance(kind, type) and issubclass(kind, Struct):
            yield from _knobs_of(kind, f"{field.name}.")
        else:
            yield Knob(prefix + field.name, kind, field.default, _sentence_of(kind))


def _sentence_of(kind: Any) -> str:
    described = (meta.description for meta in get_args(kind) if isinstance(meta, Meta))
    return next(sentence for sentence in described if sentence)
