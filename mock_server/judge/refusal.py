"""Why a client cannot be judged."""

from __future__ import annotations


class CannotRun(Exception):
    """The judgement cannot be made. The message says why, and what would be right."""
