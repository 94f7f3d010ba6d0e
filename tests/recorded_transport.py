"""A stand-in for the transport of a connection."""

from __future__ import annotations


class RecordedTransport:
    """Keeps the calls to a connection."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def write_eof(self) -> None:
        self.done.append("eof")

    def close(self) -> None:
        self.done.append("close")

    def is_closing(self) -> bool:
        return "close" in self.done

    def get_extra_info(self, name: str) -> str:
        return name
