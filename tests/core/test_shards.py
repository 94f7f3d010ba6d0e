"""The marks of shards in the names of worlds and in keys."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.core.refusals import OtherShard
from mock_server.core.shards import Shard, ShardMarks, shard_of_world

PREFIXES = ["rvya_sk_", "", "lum_"]
NUMBERS = st.integers(0, 999)
SECRETS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "rvya_sk_", "lum_", "rvya_"]),
        st.text("w019-t", max_size=12),
    ),
).filter(bool)


def marks_of(number: int) -> ShardMarks:
    return ShardMarks(Shard(number, 1000), PREFIXES)


@given(NUMBERS, SECRETS)
def test_a_marked_key_keeps_the_letters_of_its_api_and_leads_to_its_shard(
    number: int, secret: str
) -> None:
    marks = marks_of(number)
    marked = marks.marked_key(secret)
    prefix = next((each for each in PREFIXES if each and secret.startswith(each)), "")
    if marks.shard_of_key(secret) is None:
        assert marked == f"{prefix}{marks.mark}{secret.removeprefix(prefix)}"
        assert marks.shard_of_key(marked) == number
        assert marks.shard_of_key(f"{marked}+rate_limited") == number
        assert marks.obstacle(marked) is None
    else:
        assert marked == secret


@given(NUMBERS, NUMBERS, st.text("w019-t", min_size=1, max_size=12))
def test_a_marked_world_is_of_its_shard_and_of_no_other(number: int, other: int, name: str) -> None:
    marks = marks_of(number)
    if "-" in name and shard_of_world(name) not in {0, number}:
        with pytest.raises(OtherShard):
            marks.marked_world(name)
        return
    marked = marks.marked_world(name.replace("w0-", "w0"))
    assert shard_of_world(marked) == number
    assert marks.marked_world(marked) == marked
    if other != number:
        with pytest.raises(OtherShard):
            marks_of(other).marked_world(marked)


@pytest.mark.parametrize(
    ("name", "number"),
    [("default", 0), ("w12-a", 12), ("w12", 12), ("w012-a", 0), ("w1000-a", 0), ("w2x", 0)],
)
def test_a_name_without_a_mark_is_of_the_first_shard(name: str, number: int) -> None:
    assert shard_of_world(name) == number


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2-8", "must be a shard and how many there are, like 2/8, not '2-8'"),
        ("8/8", "there is no shard 8 of 8: the first is 0, the last is 7"),
        ("0/0", "there can be 1 to 1000 shards, not 0"),
        ("0/1001", "there can be 1 to 1000 shards, not 1001"),
        ("-1/8", "must be a shard and how many there are, like 2/8, not '-1/8'"),
        ("²/8", "must be a shard and how many there are, like 2/8, not '²/8'"),
    ],
)
def test_a_wrong_shard_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        Shard.read(text)
