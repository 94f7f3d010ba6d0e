from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class LumenSettings(Struct, frozen=True):
    create_status: Annotated[
        Literal[201, 202], Meta(description="status of a successful create")
    ] = 201
    secret: Annotated[str, Meta(description="what notices are signed with")] = "not so secret"
