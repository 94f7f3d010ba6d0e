"""The types, defaults and sentences of all settings. Names have units."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct

from mock_server.core.apis import ApiFacts, KeyApi
from mock_server.core.clock import ClockMode, SignaturesBy
from mock_server.core.field_types import MAX_SAFE_INTEGER, Seconds, form
from mock_server.core.spelling import Spelling

Section = TypeVar("Section", bound=Struct)

Credits = Annotated[int, Meta(ge=0, le=10**15)]
"""Far below the largest number in a snapshot, because spent credits are added to `granted`."""
Limit = Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER)]
"""0 stands for no limit."""
Bytes = Annotated[int, Meta(ge=1)]
PositiveCount = Annotated[int, Meta(ge=1)]
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
ALL_SCOPES: tuple[Scope, ...] = get_args(Scope)


_KEY = r"^[\x21-\x7E]+$"
_ACCOUNT = r"^[A-Za-z0-9._-]{1,64}$"
HEADER_NAME = r"^[A-Za-z0-9-]+$"
_PORT = r"(?:[0-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])"
_IN_PATH = r"[A-Za-z0-9/._~!$&'()*+,;=:@%-]"
_BASE_URL = rf"^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:{_PORT})?(/{_IN_PATH}*)?$"
_MEDIA_URL = rf"^auto$|{_BASE_URL}"
_FREE_PORT = "http://127.0.0.1:0"
_HOST = r"^[A-Za-z0-9._-]+$|^\[?[0-9A-Fa-f:.]+\]?$"
_ORIGIN = r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#@*\s]+$"
_SCENARIO = r"^[A-Za-z0-9_.-]+$"
PATTERN_SENTENCES: Mapping[str, str] = {
    _KEY: "must be visible ASCII characters without spaces",
    _ACCOUNT: "must be 1 to 64 of A to Z, a to z, digits, dot, hyphen and underscore",
    HEADER_NAME: "must be a header's name: letters, digits and hyphens",
    _BASE_URL: "must be a URL that begins with http:// or https://, like http://mock.example:4010",
    _MEDIA_URL: "must be auto, or a URL that begins with http:// or https://",
    _HOST: "must be a host without port and path, like mock.example",
    _ORIGIN: "must be an origin without path and star, like http://localhost:5173",
    _SCENARIO: "must be a scenario's name; hailuo-mock scenarios lists them",
}
"""The sentence that explains each pattern of a setting."""

HostName = Annotated[str, Meta(pattern=_HOST)]
Origin = Annotated[str, Meta(pattern=_ORIGIN)]


class KeySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A credential of an account."""

    key: Annotated[str, Meta(min_length=1, max_length=512), form(_KEY, PATTERN_SENTENCES[_KEY])]
    api: KeyApi
    scopes: tuple[Scope, ...] = ALL_SCOPES
    revoked: bool = False
    disabled: bool = False
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None
    rate_limit: Limit | None = None
    in_flight: Limit | None = None


class AccountSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """An account with its credits and keys.
    in_flight: how many of its tasks may not have ended; None and 0: any number."""

    name: Annotated[str, form(_ACCOUNT, PATTERN_SENTENCES[_ACCOUNT])]
    credits: Credits
    keys: tuple[KeySettings, ...]
    in_flight: Limit | None = None


class ClockSettings(Struct, frozen=True):
    """The time of the default world; `signatures` is for every world that has no other."""

    mode: Annotated[ClockMode, Meta(description="a frozen clock moves only when told to")] = "real"
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
    """The limits of requests, and of the data that worlds keep."""

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
    stored_uploads: Annotated[PositiveCount, Meta(description="stored uploads of a world")] = 10_000
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
    journal_archive_bytes: Annotated[
        int, Meta(ge=0, description="bytes of older requests that only judgements read")
    ] = 8 * 1024 * 1024
    history_entries: Annotated[
        int, Meta(ge=1, description="changes, clock moves and rows of an account that are kept")
    ] = 10_000
    worlds: Annotated[PositiveCount, Meta(description="worlds of the server")] = 2000
    accounts: Annotated[PositiveCount, Meta(description="accounts of a world")] = 1000
    keys: Annotated[PositiveCount, Meta(description="keys of a world")] = 10_000
    faults: Annotated[PositiveCount, Meta(description="faults set in a world")] = 1000
    fault_patterns: Annotated[
        PositiveCount, Meta(description="regular expressions in the faults set in a world")
    ] = 50
    fault_pointer_steps: Annotated[
        PositiveCount, Meta(description="steps of the JSON Pointers in the faults set in a world")
    ] = 10_000
    webhook_endpoints: Annotated[
        PositiveCount, Meta(description="webhook endpoints of a world, revoked ones too")
    ] = 1000
    inboxes: Annotated[PositiveCount, Meta(description="inboxes of a world")] = 100
    inbox_bytes: Annotated[
        Bytes, Meta(description="bytes of requests that all inboxes of a world keep")
    ] = 64 * 1024 * 1024


class DeliverySettings(Struct, frozen=True):
    """How deliveries are sent, and how many are kept."""

    timeout_s: Annotated[
        float, Meta(gt=0, le=3600, description="real seconds a receiver has for its whole answer")
    ] = 10.0
    per_receiver: Annotated[int, Meta(ge=1, description="attempts at once to one receiver")] = 8
    at_once: Annotated[int, Meta(ge=1, description="attempts at once in all")] = 256
    obey_retry_after: Annotated[
        bool, Meta(description="try no sooner than a receiver's Retry-After says")
    ] = True
    spelling: Annotated[
        Spelling, Meta(description="unusual: JSON as no common library writes it; or compact")
    ] = "unusual"
    kept: Annotated[int, Meta(ge=1, description="deliveries that can still be looked at")] = 10_000
    tests_waiting: Annotated[
        PositiveCount, Meta(description="deliveries that may wait when a webhook is tested")
    ] = 10_000
    attempts: Annotated[
        PositiveCount, Meta(description="attempts after which a delivery is not sent again by hand")
    ] = 1000


class IdempotencySettings(Struct, frozen=True):
    """How long repeated creates are recognized."""

    lifetime_s: Annotated[Seconds, Meta(description="seconds an Idempotency-Key is remembered")] = (
        24 * 3600
    )


class StateSettings(Struct, frozen=True):
    """The file in which the worlds survive the end of the server."""

    file: Annotated[
        str | None, Meta(description="file that keeps the worlds; unset: they end with the server")
    ] = None
    durable: Annotated[
        Literal["process", "power"],
        Meta(description="power: what was answered also survives a loss of power; slower"),
    ] = "process"
    reset: Annotated[bool, Meta(description="begin with an empty file at each start")] = False
    journal: Annotated[bool, Meta(description="keep the journal in the file, too; slower")] = False


class Settings(Struct, frozen=True):
    """Every setting of a server.
    apis: the settings of each API, by their type. In files and variables the API's name stands
        before them."""

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
    media_url: Annotated[
        Annotated[str, Meta(pattern=_MEDIA_URL)] | None,
        Meta(description="start of media URLs; auto or http://127.0.0.1:PORT: served there"),
    ] = None
    shard: Annotated[
        str | None, Meta(description="which process of how many this is, like 2/8")
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
        tuple[Origin, ...], Meta(description="origins whose web pages may use all of this")
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
    state: StateSettings = StateSettings()
    apis: Mapping[type[Struct], Any] = {}
    accounts: Annotated[
        tuple[AccountSettings, ...], Meta(description="who has which keys and credits")
    ] = ()

    def __post_init__(self) -> None:
        """Remove the slashes at the end of URLs: paths that are appended begin with one.
        Give `auto` its URL."""
        for name in ("public_url", "media_url"):
            url = getattr(self, name)
            if url is not None:
                plain = _FREE_PORT if url == "auto" else url.rstrip("/")
                msgspec.structs.force_setattr(self, name, plain)

    def of(self, kind: type[Section]) -> Section:
        """The settings of the API that has settings of this type. LookupError if there is none."""
        section: Section = self.apis[kind]
        return section


class SettingInfo(Struct, frozen=True):
    """One setting: its dotted name, type, default and sentence."""

    name: str
    kind: Any
    default: Any
    sentence: str


class Effective(Struct, frozen=True):
    """The effective value of one setting, and its origin."""

    info: SettingInfo
    value: Any
    origin: str


def setting_infos(apis: Iterable[ApiFacts]) -> Iterator[SettingInfo]:
    """Every setting of a server with these APIs, in the order of the file."""
    for info in _infos_of(Settings, ""):
        if info.name == "accounts":
            for api in apis:
                yield from _infos_of(api.settings, f"{api.name}.")
            yield msgspec.structs.replace(info, default=_default_accounts(apis))
        else:
            yield info


@cache
def _infos_of(owner: type[Struct], prefix: str) -> tuple[SettingInfo, ...]:
    infos: list[SettingInfo] = []
    for field in msgspec.structs.fields(owner):
        kind = field.type
        if isinstance(kind, type) and issubclass(kind, Struct):
            infos += _infos_of(kind, f"{field.name}.")
        elif (sentence := _sentence_of(kind)) is not None:
            infos.append(SettingInfo(prefix + field.name, kind, field.default, sentence))
    return tuple(infos)


def _default_accounts(apis: Iterable[ApiFacts]) -> tuple[AccountSettings, ...]:
    """An account with one key for each API."""
    return tuple(
        AccountSettings(
            api.account,
            1_000_000,
            (KeySettings(api.key, api.name, ALL_SCOPES if api.has_scopes else ()),),
        )
        for api in apis
    )


def _sentence_of(kind: Any) -> str | None:
    """The sentence of a setting; None for the settings of the APIs, which are more than one."""
    metas = (meta for meta in get_args(kind) if isinstance(meta, Meta))
    return next((meta.description for meta in metas if meta.description), None)
