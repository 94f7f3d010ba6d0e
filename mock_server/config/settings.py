"""The types and defaults of all settings, and a sentence for each in the docstring of its section.
Names have units."""

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
    """The time of the default world; `signatures` is for every world that has no other.

    mode: a frozen clock moves only when told to
    start: the first moment, like 2026-05-11T00:00:00Z; unset: now
    signatures: machine: date signatures by this machine's clock
    """

    mode: ClockMode = "real"
    start: Annotated[datetime, Meta(tz=True)] | None = None
    signatures: SignaturesBy = "world"


class TaskSettings(Struct, frozen=True):
    """How long tasks take, in seconds of the world's clock, and how many break.

    queued_s: seconds from create to processing
    processing_s: seconds from processing to the end
    failure_rate: share of tasks that fail, drawn from the seed
    """

    queued_s: Seconds = 0.2
    processing_s: Seconds = 0.8
    failure_rate: Annotated[float, Meta(ge=0, le=1)] = 0.0


class LimitSettings(Struct, frozen=True):
    """The limits of requests, and of the data that worlds keep.

    header_bytes: all headers of a request, in bytes; 431 past it
    url_bytes: longest URL of a request, in bytes; 414 past it
    head_timeout_s: real seconds until URL and headers have to be there
    body_timeout_s: real seconds until the body has to be there
    held_requests: requests that are answered at once; 429 past it
    body_bytes: largest JSON body, in bytes
    json_depth: deepest nesting of a body
    json_values: most values in a JSON body: texts, numbers, lists, objects
    whole_request_bytes: a longer request is kept without what its API ignores
    upload_bytes: largest upload form, in bytes
    stored_upload_bytes: all stored uploads together, in bytes
    stored_uploads: stored uploads of a world
    snapshot_bytes: largest snapshot put back, in bytes
    journal_exchanges: requests the journal keeps
    journal_body_bytes: bytes of each body that the journal keeps
    journal_header_bytes: bytes of each request's headers that the journal keeps
    journal_archive_bytes: bytes of older requests that only judgements read
    history_entries: changes, clock moves and rows of an account that are kept
    worlds: worlds of the server
    accounts: accounts of a world
    keys: keys of a world
    faults: faults set in a world
    fault_patterns: regular expressions in the faults set in a world
    fault_pointer_steps: steps of the JSON Pointers in the faults set in a world
    webhook_endpoints: webhook endpoints of a world, revoked ones too
    inboxes: inboxes of a world
    inbox_bytes: bytes of requests that all inboxes of a world keep
    """

    header_bytes: Annotated[int, Meta(ge=1024)] = 64 * 1024
    url_bytes: Annotated[int, Meta(ge=256)] = 8 * 1024
    head_timeout_s: Timeout = 10.0
    body_timeout_s: Timeout = 120.0
    held_requests: PositiveCount = 5000
    body_bytes: Bytes = 1024 * 1024
    json_depth: Annotated[int, Meta(ge=1, le=500)] = 64
    json_values: PositiveCount = 40_000
    whole_request_bytes: Annotated[int, Meta(ge=0)] = 4096
    upload_bytes: Bytes = 100 * 1024 * 1024
    stored_upload_bytes: Bytes = 1 << 30
    stored_uploads: PositiveCount = 10_000
    snapshot_bytes: Bytes = 1 << 30
    journal_exchanges: PositiveCount = 1000
    journal_body_bytes: Annotated[int, Meta(ge=0)] = 64 * 1024
    journal_header_bytes: Annotated[int, Meta(ge=0)] = 16 * 1024
    journal_archive_bytes: Annotated[int, Meta(ge=0)] = 8 * 1024 * 1024
    history_entries: PositiveCount = 10_000
    worlds: PositiveCount = 2000
    accounts: PositiveCount = 1000
    keys: PositiveCount = 10_000
    faults: PositiveCount = 1000
    fault_patterns: PositiveCount = 50
    fault_pointer_steps: PositiveCount = 10_000
    webhook_endpoints: PositiveCount = 1000
    inboxes: PositiveCount = 100
    inbox_bytes: Bytes = 64 * 1024 * 1024


class DeliverySettings(Struct, frozen=True):
    """How deliveries are sent, and how many are kept.

    timeout_s: real seconds a receiver has for its whole answer
    per_receiver: attempts at once to one receiver
    at_once: attempts at once in all
    obey_retry_after: try no sooner than a receiver's Retry-After says
    spelling: unusual: JSON as no common library writes it; or compact
    kept: deliveries that can still be looked at
    tests_waiting: deliveries that may wait when a webhook is tested
    attempts: attempts after which a delivery is not sent again by hand
    """

    timeout_s: Annotated[float, Meta(gt=0, le=3600)] = 10.0
    per_receiver: PositiveCount = 8
    at_once: PositiveCount = 256
    obey_retry_after: bool = True
    spelling: Spelling = "unusual"
    kept: PositiveCount = 10_000
    tests_waiting: PositiveCount = 10_000
    attempts: PositiveCount = 1000


class IdempotencySettings(Struct, frozen=True):
    """How long repeated creates are recognized.

    lifetime_s: seconds an Idempotency-Key is remembered
    """

    lifetime_s: Seconds = 24 * 3600


class StateSettings(Struct, frozen=True):
    """The file in which the worlds survive the end of the server.

    file: file that keeps the worlds; unset: they end with the server
    durable: power: what was answered also survives a loss of power; slower
    reset: begin with an empty file at each start
    journal: keep the journal in the file, too; slower
    """

    file: str | None = None
    durable: Literal["process", "power"] = "process"
    reset: bool = False
    journal: bool = False


class Settings(Struct, frozen=True):
    """Every setting of a server.

    host: address to listen on
    port: port; 0 picks a free one
    seed: same seed, same ids and chances
    time_scale: 60: a minute passes in a second
    public_url: start of every URL handed out; unset: the Host the client used
    media_url: start of media URLs; auto or http://127.0.0.1:PORT: served there
    shard: which process of how many this is, like 2/8
    callback_hosts: hosts that may be called; loopback: this machine, *: all, *.a.test
    webhook_urls: local: webhooks may go to this machine and to callback_hosts
    scenario: what goes wrong with every request that asks for nothing else
    scenario_dir: a folder with scenario files of your own
    control_token: what /_mock/ asks for, in the header Mock-Control-Token
    control_hosts: other names than localhost for /_mock/ without a token
    browser_origins: origins whose web pages may use all of this
    mock_headers: send Mock-World and Mock-Request
    log_level: how much goes to stderr
    apis: the settings of each API, by their type; its name is before theirs in files and variables
    accounts: who has which keys and credits
    """

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 4010
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 1
    time_scale: Annotated[float, Meta(gt=0, le=10**6)] = 1.0
    public_url: Annotated[str, Meta(pattern=_BASE_URL)] | None = None
    media_url: Annotated[str, Meta(pattern=_MEDIA_URL)] | None = None
    shard: str | None = None
    callback_hosts: tuple[str, ...] = ("loopback",)
    webhook_urls: Literal["local", "strict"] = "local"
    scenario: Annotated[str, Meta(pattern=_SCENARIO)] | None = None
    scenario_dir: str | None = None
    control_token: Annotated[str, Meta(pattern=_KEY)] | None = None
    control_hosts: tuple[HostName, ...] = ()
    browser_origins: tuple[Origin, ...] = ()
    mock_headers: bool = True
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    clock: ClockSettings = ClockSettings()
    tasks: TaskSettings = TaskSettings()
    limits: LimitSettings = LimitSettings()
    idempotency: IdempotencySettings = IdempotencySettings()
    deliveries: DeliverySettings = DeliverySettings()
    state: StateSettings = StateSettings()
    apis: Mapping[type[Struct], Any] = {}
    accounts: tuple[AccountSettings, ...] = ()

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
    sentences = _sentences(owner)
    for field in msgspec.structs.fields(owner):
        kind = field.type
        if isinstance(kind, type) and issubclass(kind, Struct):
            infos += _infos_of(kind, f"{field.name}.")
        elif field.name != "apis":  # they have sections of their own
            sentence = sentences.get(field.name, "")
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


def _sentences(owner: type[Struct]) -> dict[str, str]:
    """What the docstrings of a section and its bases say of each field, one line each."""
    docs = "\n".join(base.__dict__.get("__doc__") or "" for base in reversed(owner.__mro__))
    lines = (line.strip().partition(": ") for line in docs.splitlines())
    return {name: sentence for name, _, sentence in lines}
