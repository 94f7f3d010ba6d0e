"""Webhook routes: known, guarded like the others, and not offered yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.mock import Mock
from tests.rivya.conftest import OPERATIONS, account, refusal, scopes_without

MakeMock = Callable[..., Mock]
ROUTES = [(method, path) for method, path, scope in OPERATIONS if scope == "webhooks:manage"]
ENDPOINT = {"url": "https://client.example/hook", "event_types": ["generation.succeeded"]}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_webhook_route_is_not_implemented_and_says_so(mock: Mock, method: str, path: str) -> None:
    body = ENDPOINT if method in {"POST", "PATCH"} else None
    refusal(mock.rivya(method, path, body), "not_implemented")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_webhook_route_needs_a_key(mock: Mock, method: str, path: str) -> None:
    refusal(mock.rivya(method, path, ENDPOINT, key=None), "api_key_missing")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_webhook_route_needs_its_scope(make_mock: MakeMock, method: str, path: str) -> None:
    keys: dict[str, Any] = {"it": {"scopes": scopes_without("webhooks:manage")}}
    mock = make_mock(accounts=[account("a", **keys)])
    refusal(mock.rivya(method, path, ENDPOINT, key="rvya_sk_it"), "api_scope_denied")


@pytest.mark.parametrize(
    "url", ["http://client.example/hook", "https://localhost/hook", "https://10.0.0.1/hook"]
)
def test_an_address_that_would_be_rejected_is_not_implemented_either(mock: Mock, url: str) -> None:
    refusal(mock.rivya("POST", "/webhooks", ENDPOINT | {"url": url}), "not_implemented")


@pytest.mark.parametrize("path", ["/webhooks/a/b", "/webhooks/a/rotate-secret/x", "/webhook"])
def test_no_other_webhook_route_is_known(mock: Mock, path: str) -> None:
    refusal(mock.rivya("GET", path), "not_found")
