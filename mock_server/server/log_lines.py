"""Log records as lines: what clients wrote makes no line of its own, and shows no key."""

from __future__ import annotations

import logging
from typing import Any

from mock_server.core.printable import printable
from mock_server.core.redaction import Redaction

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_MOST_TRACED_LINES = 200
_BY_LOOKS = Redaction(())


class LineFormatter(logging.Formatter):
    """A record is one line; its traceback follows, indented."""

    def __init__(self) -> None:
        super().__init__(_FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        """The line, with its end left out if it is long."""
        return printable(_BY_LOOKS.text(super().formatMessage(record)))

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the library's name)
        """The traceback; of a long one, its last lines."""
        lines = _BY_LOOKS.text(super().formatException(ei)).splitlines()
        return "\n".join(f"    {printable(line)}" for line in lines[-_MOST_TRACED_LINES:])
