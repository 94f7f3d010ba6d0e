"""The length of a prompt in UTF-16 code units, or in code points if the settings say so."""

from __future__ import annotations

from typing import Literal

import pytest

from mock_server.apis.rivya.generations import require_length
from mock_server.core.refusals import Invalid

Unit = Literal["utf16", "codepoints"]


@pytest.mark.parametrize("unit", ["utf16", "codepoints"])
@pytest.mark.parametrize("letter", ["a", "é", "\u4e16", "\ufffd"])
def test_a_character_of_one_code_unit_counts_once(letter: str, unit: Unit) -> None:
    require_length(letter * 1500, 1500, unit=unit)
    with pytest.raises(Invalid, match="has 1501 .* at most 1500"):
        require_length(letter * 1501, 1500, unit=unit)


def test_an_emoji_counts_twice_in_utf16() -> None:
    require_length("\U0001f3ac" * 750, 1500, unit="utf16")
    with pytest.raises(Invalid, match="has 1501 UTF-16 code units; at most 1500"):
        require_length("\U0001f3ac" * 750 + "a", 1500, unit="utf16")


def test_an_emoji_across_the_limit_is_refused() -> None:
    with pytest.raises(Invalid, match="has 1501 UTF-16 code units"):
        require_length("a" * 1499 + "\U0001f3ac", 1500, unit="utf16")


def test_an_emoji_counts_once_in_code_points() -> None:
    require_length("\U0001f3ac" * 1500, 1500, unit="codepoints")
    with pytest.raises(Invalid, match="has 1501 characters; at most 1500"):
        require_length("\U0001f3ac" * 1501, 1500, unit="codepoints")


def test_the_refusal_points_at_the_prompt() -> None:
    with pytest.raises(Invalid) as refused:
        require_length("aa", 1, unit="utf16")
    assert [(found.place, found.rule) for found in refused.value.violations] == [
        ("/prompt", "maxLength")
    ]
