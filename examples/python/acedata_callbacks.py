"""A receiver of Ace Data Cloud's callbacks, for whichever web framework."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from acedata_wire import Task, read_outcome


class Forged(Exception):
    """The signature is wrong. Answer 400, and do nothing."""


class Callbacks:
    """Has the end of each task handled once.

    A signature is optional: it comes only if the order held a `callback_secret`, and perhaps not
    even then. An unsigned callback is no more than a hint, so its task is looked up.
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
        """Handle the end of a task unless that was done before; then answer 200.

        Raises Forged, and what looking up or handling raises: answer 500, and with luck the
        callback comes again.
        """
        told: Any = json.loads(body)
        task_id = str(told["task_id"])
        is_signed = self._is_signed({name.lower(): value for name, value in headers.items()}, body)
        if task_id in self._handled:
            return
        task = read_outcome(task_id, told) if is_signed else self._look_up(task_id)
        if task.state != "running":
            self._handle(task)
            self._handled.add(task_id)

    def _is_signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        """`X-Callback-Signature` is the hex HMAC-SHA256 of the body. Raises Forged."""
        given = headers.get("x-callback-signature")
        if given is None or self._secret is None:
            return False
        right = hmac.new(self._secret.encode(), body, "sha256").hexdigest()
        if not hmac.compare_digest(given.encode(), right.encode()):
            raise Forged("another secret or another body was signed")
        return True
