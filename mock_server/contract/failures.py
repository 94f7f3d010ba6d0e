"""Why tasks fail: what each API says for each reason, from `schemas/{api}/failures.toml`."""

from collections.abc import Mapping
from functools import cache

import msgspec
from msgspec import Struct

from mock_server.contract.data_paths import SCHEMAS
from mock_server.core.lifecycle import FailureReason


class Failure(Struct, frozen=True, forbid_unknown_fields=True):
    """The error of a failed task. source: of the code, as `x-source` in the schemas."""

    code: str
    message: str
    source: str


@cache  # read at the first use: few runs have a task that fails
def failures_of(api: str) -> Mapping[FailureReason, Failure]:
    """What this API says for each reason."""
    text = (SCHEMAS / api / "failures.toml").read_bytes()
    return msgspec.toml.decode(text, type=dict[FailureReason, Failure])
