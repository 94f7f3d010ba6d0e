"""Describes an API in one value: all that the rest of the server needs."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from mock_server.config.settings import Settings
from mock_server.contract.contract import Contract
from mock_server.contract.request_rules import Schema
from mock_server.core.apis import ApiFacts, Operation
from mock_server.core.catalog import MediaRules
from mock_server.core.lifetimes import FOR_EVER, Lifetimes
from mock_server.edge.resource import ErrorResponses, Handler
from mock_server.outgoing.outbox import EventWriter


class ApiRoute(Struct, frozen=True):
    """A path of an API. operation: its name in faults. handlers: by method."""

    path: str
    operation: Operation
    handlers: Mapping[str, Handler]


class WebhookCalls(Struct, frozen=True):
    """How a client makes a webhook and replaces its secret.
    create_body: without `url`. rotate_path: has `{id}`. shows: the field of both answers that has
    the secret."""

    create_path: str
    create_body: Mapping[str, Any]
    rotate_path: str
    shows: str


class VendorApi(ApiFacts, frozen=True, kw_only=True):
    """An API that is faked.
    errors: makes its ErrorResponses. event_writer: makes its EventWriter.
    gone_disables: whether an answer 410 switches a webhook endpoint off. lifetimes: how long
        things are kept.
    schemas: the folder that contains the API's folder of schemas and `models`; None: that of the
        contract. document_schemas: returns the schemas that replace general ones in the OpenAPI
        document, by name. uploads: returns all rules that uploads may be checked against.
    webhook_calls: None: callback URLs are in the creates."""

    errors: Callable[[Contract, Settings], ErrorResponses]
    routes: tuple[ApiRoute, ...]
    event_writer: Callable[[Settings], EventWriter]
    lifetimes: Callable[[Settings], Lifetimes] = lambda _: FOR_EVER
    gone_disables: Callable[[Settings], bool] = lambda _: False
    schemas: Path | None = None
    document_schemas: Callable[[Contract], Mapping[str, Schema]] = lambda _: {}
    uploads: Callable[[Contract], Iterable[MediaRules]] = lambda _: ()
    webhook_calls: WebhookCalls | None = None
