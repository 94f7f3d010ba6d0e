from __future__ import annotations

from typing import Literal

from msgspec import Struct


class LumenSettings(Struct, frozen=True):
    """Settings of Lumen Studio.

    create_status: status of a successful create
    secret: what notices are signed with
    """

    create_status: Literal[201, 202] = 201
    secret: str = "not so secret"
