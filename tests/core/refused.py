"""What a refusal says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mock_server.core.refusals import Refusal


def sentence_of(refusal: type[Refusal], call: Callable[..., object], *arguments: Any) -> str:
    """The sentence with which the call is refused."""
    with pytest.raises(refusal) as refused:
        call(*arguments)
    return str(refused.value)
