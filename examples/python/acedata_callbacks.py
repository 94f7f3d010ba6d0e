"""Handles Ace Data Cloud's callbacks in any web framework."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from acedata_wire import Task, read_outcome


class Forged(Exception):
    """The signature is wrong. Answer 400, and do nothing."""


class Callbacks:
    """Handles the end of each task once.

    A signature is optional: only an order with a `callback_secret` can have one. A callback without
    a signature may be forged, so its task is read from the API.
    """

    def __init__(
        self,
        look_up: Callable[[str], Task],
        handle: Callable[[Task], object],
        secret: str | None = None,
    ) -> None:
        """look_up: `AceData.get`. secret: the `callback_secret` of every order."""
        self._look_up = look_up
        self._handle = handle
        self._secret = secret
        self._handled: set[str] = set()

    def receive(self, headers: Mapping[str, str], body: bytes) -> None:
        """Handle the end of a task that is new; then answer 200.

        Raises Forged, and the errors of `look_up` and `handle`: answer 500, and the callback may be
        sent again.
        """
        fields: Any = json.loads(body)
        task_id = str(fields["task_id"])
        is_signed = self._is_signed({name.lower(): value for name, value in headers.items()}, body)
        if task_id in self._handled:
            return
        task = read_outcome(task_id, fields) if is_signed else self._look_up(task_id)
        if task.state != "running":
            self._handle(task)
            self._handled.add(task_id)

    def _is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the body has a signature. Raises Forged if it is wrong."""
        given = headers.get("x-callback-signature")
        if given is None or self._secret is None:
            return False
        right = hmac.new(self._secret.encode(), body, "sha256").hexdigest()
        if not hmac.compare_digest(given.encode(), right.encode()):
            raise Forged("the signature is of another secret or another body")
        return True
