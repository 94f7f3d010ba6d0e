"""The log: one line a record. Text from clients cannot add lines to it, and keys are hidden."""

import logging
import sys
from collections.abc import Iterable
from typing import Any

from mock_server.core.apis import ApiFacts
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


def set_up_logging(level: str, apis: Iterable[ApiFacts]) -> None:
    """Log to stderr, one line per record, without keys of these APIs; stdout is for the ready
    line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(api.key_prefix for api in apis if api.key_prefix))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for chatty in ("httpx2", "httpcore2", "uvicorn", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # The answer to a malformed form explains the error, so the log does not repeat it.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    logging.getLogger("mock_server.server.uvicorn_protocol").addFilter(RepeatFilter())
    # `run` logs why the server cannot listen.
    logging.getLogger("uvicorn.error").addFilter(lambda each: not isinstance(each.msg, OSError))


class RepeatFilter(logging.Filter):
    """Shows each message, with any arguments, at most once in ten seconds."""

    _PAUSE_S = 10.0

    def __init__(self) -> None:
        super().__init__()
        self._shown: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the message is shown."""
        shown = self._shown.get(record.msg)
        if shown is not None and record.created < shown + self._PAUSE_S:
            return False
        self._shown[record.msg] = record.created
        return True
