"""What the control door is asked to make a world from."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from mock_server.config.settings import Credits, Limit
from mock_server.core.clock import ClockMode, SignaturesBy, ms_of
from mock_server.core.field_types import form


class ClockPlan(Struct, frozen=True, forbid_unknown_fields=True):
    """How a world's time begins.

    now: its first moment, from 1970 to the year 9999; None: the present one.
    scale: how much faster than real time it runs, unless it is frozen.
    signatures: whose clock dates the signatures of webhooks; None: as in the settings.
    """

    mode: ClockMode = "real"
    now: Annotated[datetime, Meta(tz=True)] | None = None
    scale: Annotated[float, Meta(gt=0, le=10**6)] = 1.0
    signatures: SignaturesBy | None = None

    def __post_init__(self) -> None:
        if self.now is not None:
            ms_of(self.now)


WorldName = Annotated[
    str,
    form(
        "^[a-z0-9][a-z0-9-]{0,39}$",
        "must be 1 to 40 of a to z, digits and hyphen, and not begin with a hyphen",
    ),
]


class WorldPlan(Struct, frozen=True, forbid_unknown_fields=True):
    """What a world is made from; a reset makes it from the same again.

    name: of the letters a to z, digits and hyphens; None: the next free one. One of several
        processes puts its mark before it, such as `w2-`.
    seed: None draws one from the server's seed and the name.
    credits, in_flight: what every account has; None: as in the settings.
    """

    name: WorldName | None = None
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    credits: Credits | None = None
    in_flight: Limit | None = None
    clock: ClockPlan = ClockPlan()
