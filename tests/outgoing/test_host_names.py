"""The addresses of a host name, in bounded time."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from mock_server.outgoing import host_names
from mock_server.outgoing.host_names import addresses_of


def asked(host: str) -> list[str]:
    return asyncio.run(addresses_of(host))


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1"])
def test_an_address_leads_to_itself(address: str) -> None:
    assert asked(address) == [address]


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example"])
def test_an_invalid_name_has_no_address(host: str) -> None:
    assert asked(host) == []


def test_every_address_of_a_name_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Any] = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2606:4700::1111", 0, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert asked("client.example") == ["2606:4700::1111", "10.0.0.1"]


def test_an_unknown_name_has_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert asked("client.example") == []


def test_a_lookup_without_an_answer_ends_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", never)
    monkeypatch.setattr(host_names, "_TIMEOUT_S", 0.01)
    assert asked("client.example") == []
