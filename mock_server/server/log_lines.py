"""Formats log records. Text from clients cannot add lines to the log, and keys are hidden."""

import logging
from collections.abc import Iterable
from typing import Any

from mock_server.core.printable import printable
from mock_server.core.redaction import Redaction

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_MAX_TRACEBACK_LINES = 200


class LineFormatter(logging.Formatter):
    """Formats a record as one line. Its traceback follows, indented."""

    def __init__(self, key_prefixes: Iterable[str]) -> None:
        """key_prefixes: as for Redaction. No keys are known here."""
        super().__init__(_FORMAT)
        self._redaction = Redaction((), key_prefixes)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        """The line; the end of a long one is cut off."""
        return printable(self._redaction.text(super().formatMessage(record)))

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the library's name)
        """The traceback; only the last lines of a long one."""
        lines = self._redaction.text(super().formatException(ei)).splitlines()
        return "\n".join(f"    {printable(line)}" for line in lines[-_MAX_TRACEBACK_LINES:])
