"""The load generator of the benchmarks, against a server that ends its connections."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from benchmarks.figures import CannotMeasure
from benchmarks.load_client import busy

MESSAGE = "GET / HTTP/1.1\r\n\r\n"
REQUESTS_OF_EACH = 3


@contextmanager
def ending_connections(header: bytes) -> Iterator[SimpleNamespace]:
    """A server that ends each connection after some answers. The last one has the header."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            for left in reversed(range(REQUESTS_OF_EACH)):
                if not self.request.recv(4096):
                    return
                said = b"" if left else header
                self.request.sendall(b"HTTP/1.1 200 OK\r\n" + said + b"content-length: 2\r\n\r\n{}")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        listening = threading.Thread(target=server.serve_forever)
        listening.start()
        try:
            yield SimpleNamespace(port=server.server_address[1])
        finally:
            server.shutdown()
            listening.join()


@pytest.mark.parametrize("header", [b"Connection: close\r\n", b"connection: close\r\n"])
def test_a_connection_whose_end_is_announced_is_made_anew(header: bytes) -> None:
    with ending_connections(header) as server, busy(server, [MESSAGE], 20, 2) as load:
        assert [load.run().by_status for _ in range(3)] == [{200: 20}] * 3


def test_an_end_that_is_not_announced_is_no_measurement() -> None:
    with (
        ending_connections(b"") as server,
        busy(server, [MESSAGE], 20, 2) as load,
        pytest.raises(CannotMeasure, match=r"dropped=[12]"),
    ):
        load.run()
