"""Reads Retry-After."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def told_s(headers):
    """The seconds of Retry-After, which may be a date; an hour if nobody can read it."""
    told = headers.get("Retry-After", "0")
    try:
        if told.isdigit():
            return int(told)
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 3600
