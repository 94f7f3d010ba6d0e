"""Ids from a seed, in the forms the two APIs show."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.apis.acedata import ACEDATA
from mock_server.apis.rivya import RIVYA
from mock_server.core.chance import Chance
from mock_server.core.ids import Ids

KINDS: dict[str, Callable[[Ids, int], str]] = {
    "hex": lambda ids, number: ids.hex("event", number),
    "uuid": lambda ids, number: ids.uuid("trace", number),
    "base32": lambda ids, number: ids.base32("video", number),
    "rivya task": RIVYA.task_id,
    "acedata task": ACEDATA.task_id,
}
FORMS = {
    "hex": r"[0-9a-f]{24}",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "base32": r"[0-9a-z]{26}",
    "rivya task": r"task_[0-9a-f]{24}",
    "acedata task": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
}

every_kind = pytest.mark.parametrize("kind", KINDS)


def ids_of(seed: int) -> Ids:
    return Ids(Chance(seed))


@every_kind
@given(seed=st.integers(0, 2**64), number=st.integers(0, 10**9))
def test_an_id_has_the_form_of_its_kind(kind: str, seed: int, number: int) -> None:
    assert re.fullmatch(FORMS[kind], KINDS[kind](ids_of(seed), number))


@every_kind
def test_the_same_seed_gives_the_same_ids(kind: str) -> None:
    make, first, second = KINDS[kind], ids_of(7), ids_of(7)
    assert [make(first, n) for n in range(20)] == [make(second, n) for n in range(20)]


@every_kind
def test_another_seed_gives_other_ids(kind: str) -> None:
    make, first, second = KINDS[kind], ids_of(7), ids_of(8)
    assert not {make(first, n) for n in range(20)} & {make(second, n) for n in range(20)}


@every_kind
def test_ten_thousand_ids_do_not_clash(kind: str) -> None:
    ids = ids_of(7)
    assert len({KINDS[kind](ids, number) for number in range(10_000)}) == 10_000


def test_kinds_do_not_share_their_ids() -> None:
    assert ids_of(7).hex("event", 1) != ids_of(7).hex("delivery", 1)


@pytest.mark.parametrize("digits", [1, 8, 31, 32])
def test_a_hex_id_has_as_many_digits_as_asked_for(digits: int) -> None:
    assert len(ids_of(7).hex("event", 1, digits)) == digits


def test_every_variant_digit_of_a_uuid_occurs() -> None:
    assert {ids_of(7).uuid("task", number)[19] for number in range(100)} == set("89ab")


def test_base32_has_no_ambiguous_letters() -> None:
    ids = ids_of(7)
    used = set("".join(ids.base32("video", number) for number in range(500)))
    assert used == set("0123456789abcdefghjkmnpqrstvwxyz")
