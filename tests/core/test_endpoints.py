"""Subscriptions, the record of attempts, and secrets of webhook endpoints."""

from __future__ import annotations

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mock_server.core.chance import Chance
from mock_server.core.endpoints import Endpoint, Endpoints, EndpointStatus, new_secret
from mock_server.core.refusals import Invalid, UnknownEndpoint
from tests.core.refused import sentence_of

GOOD, BAD = "generation.succeeded", "generation.failed"
URL = "https://example.com/hook"


def endpoint(name: str = "whend_1", account: str = "ada", *types: str) -> Endpoint:
    return Endpoint(name, account, "hook", URL, types or (GOOD,), "whsec_old", 5, 5)


def listed(*kept: Endpoint) -> Endpoints:
    endpoints = Endpoints()
    for each in kept:
        endpoints.add(each)
    return endpoints


@given(st.integers(), st.text(st.characters(codec="utf-8")))
def test_a_secret_is_a_prefix_and_24_bytes_in_base64(seed: int, subject: str) -> None:
    prefix, _, encoded = new_secret(Chance(seed), subject).partition("_")
    assert prefix == "whsec"
    assert len(b64decode(encoded, validate=True)) == 24


def test_the_same_seed_and_subject_give_the_same_secret() -> None:
    assert new_secret(Chance(7), "whend_1") == new_secret(Chance(7), "whend_1")


def test_another_seed_gives_another_secret() -> None:
    assert new_secret(Chance(7), "whend_1") != new_secret(Chance(8), "whend_1")


def test_another_subject_gets_another_secret() -> None:
    assert new_secret(Chance(7), "whend_1") != new_secret(Chance(7), "whend_2")


def test_the_three_parts_of_a_secret_differ() -> None:
    drawn = b64decode(new_secret(Chance(7), "whend_1").removeprefix("whsec_"))
    assert len({drawn[:8], drawn[8:16], drawn[16:]}) == 3


def test_rotations_never_repeat_a_secret() -> None:
    chance = Chance(7)
    rotated = replace(endpoint(), secret=new_secret(chance, "whend_1"))
    seen = {rotated.secret}
    for now_ms in range(100):
        rotated.rotate_secret(chance, now_ms)
        seen.add(rotated.secret)
    assert len(seen) == 101


def test_the_same_seed_gives_the_same_rotated_secrets() -> None:
    one, other = endpoint(), endpoint()
    for each in (one, other):
        each.rotate_secret(Chance(7), 6)
        each.rotate_secret(Chance(7), 7)
    assert one.secret == other.secret


def test_two_endpoints_rotate_to_different_secrets() -> None:
    one, other = endpoint("whend_1"), endpoint("whend_2")
    for each in (one, other):
        each.rotate_secret(Chance(7), 6)
    assert one.secret != other.secret


def test_a_rotation_is_an_update_and_nothing_else() -> None:
    rotated = endpoint()
    rotated.rotate_secret(Chance(7), 9)
    expected = replace(
        endpoint(),
        secret=rotated.secret,
        updated_ms=9,
        rotations=1,
        previous_secret="whsec_old",
        previous_until_ms=9,
    )
    assert rotated == expected


def test_a_new_endpoint_is_active_and_has_no_attempts() -> None:
    new = endpoint()
    assert new.is_active
    assert new.failure_count == 0
    assert (new.last_success_ms, new.last_failure_ms) == (None, None)
    assert (new.disabled_ms, new.revoked_ms) == (None, None)


@pytest.mark.parametrize(
    ("status", "disabled_ms", "revoked_ms"),
    [
        (EndpointStatus.ACTIVE, None, None),
        (EndpointStatus.DISABLED, 9, None),
        (EndpointStatus.REVOKED, None, 9),
    ],
)
@pytest.mark.parametrize("before", [EndpointStatus.ACTIVE, EndpointStatus.DISABLED])
def test_a_status_comes_with_its_time_and_no_other(
    before: EndpointStatus,
    status: EndpointStatus,
    disabled_ms: int | None,
    revoked_ms: int | None,
) -> None:
    switched = endpoint()
    switched.set_status(before, 7)
    switched.set_status(status, 9)
    assert switched.status is status
    assert (switched.disabled_ms, switched.revoked_ms) == (disabled_ms, revoked_ms)
    assert (switched.created_ms, switched.updated_ms) == (5, 9)


@pytest.mark.parametrize("status", list(EndpointStatus))
def test_only_the_status_active_is_active(status: EndpointStatus) -> None:
    switched = endpoint()
    switched.set_status(status, 9)
    assert switched.is_active is (status is EndpointStatus.ACTIVE)


@given(st.lists(st.booleans()))
def test_failures_are_counted_since_the_last_success(attempts: list[bool]) -> None:
    tried = endpoint()
    for now_ms, was_accepted in enumerate(attempts):
        tried.record_attempt(was_accepted=was_accepted, now_ms=now_ms)
    in_a_row = 0
    for was_accepted in attempts:
        in_a_row = 0 if was_accepted else in_a_row + 1
    assert tried.failure_count == in_a_row


def test_a_success_resets_the_failure_count() -> None:
    tried = endpoint()
    for now_ms in (6, 7):
        tried.record_attempt(was_accepted=False, now_ms=now_ms)
    tried.record_attempt(was_accepted=True, now_ms=8)
    assert tried.failure_count == 0


def test_the_times_of_the_last_success_and_failure_are_kept() -> None:
    tried = endpoint()
    for now_ms, was_accepted in ((6, False), (7, True), (8, True), (9, False)):
        tried.record_attempt(was_accepted=was_accepted, now_ms=now_ms)
    assert (tried.last_success_ms, tried.last_failure_ms) == (8, 9)


def test_no_number_of_failures_disables_an_endpoint() -> None:
    tried = endpoint()
    for now_ms in range(1000):
        tried.record_attempt(was_accepted=False, now_ms=now_ms)
    assert tried.is_active


def test_an_attempt_does_not_update_the_endpoint() -> None:
    tried = endpoint()
    tried.record_attempt(was_accepted=True, now_ms=9)
    assert tried.updated_ms == 5


def test_an_owner_finds_the_endpoint() -> None:
    kept = endpoint()
    assert listed(kept).find("whend_1", "ada") is kept


def test_an_owner_finds_a_revoked_endpoint_too() -> None:
    kept = endpoint()
    kept.set_status(EndpointStatus.REVOKED, 9)
    assert listed(kept).find("whend_1", "ada") is kept


def test_an_endpoint_of_another_account_is_refused_like_an_unknown_one() -> None:
    endpoints = listed(endpoint())
    foreign = sentence_of(UnknownEndpoint, endpoints.find, "whend_1", "ben")
    assert foreign == sentence_of(UnknownEndpoint, endpoints.find, "whend_2", "ben")


def test_get_returns_an_endpoint_of_any_account() -> None:
    kept = endpoint()
    assert listed(kept).get("whend_1") is kept


def test_an_unknown_id_has_no_record() -> None:
    assert listed(endpoint()).get("whend_2") is None


def test_endpoints_are_counted_over_all_accounts() -> None:
    assert len(Endpoints()) == 0
    assert len(listed(endpoint("whend_1"), endpoint("whend_2", "ben"))) == 2


def test_an_account_sees_its_endpoints_oldest_first() -> None:
    kept = [endpoint("whend_3"), endpoint("whend_1"), endpoint("whend_2")]
    assert list(listed(*kept).of("ada")) == kept


def test_an_account_does_not_see_endpoints_of_others() -> None:
    kept = endpoint()
    assert list(listed(endpoint("whend_2", "ben"), kept).of("ada")) == [kept]


def test_an_account_sees_its_revoked_endpoints_too() -> None:
    kept = endpoint()
    kept.set_status(EndpointStatus.REVOKED, 9)
    assert list(listed(kept).of("ada")) == [kept]


def test_subscribed_returns_the_endpoints_of_the_type() -> None:
    good, bad, both = (
        endpoint("whend_1", "ada", GOOD),
        endpoint("whend_2", "ada", BAD),
        endpoint("whend_3", "ada", BAD, GOOD),
    )
    endpoints = listed(good, bad, both)
    assert endpoints.subscribed("ada", GOOD) == [good, both]
    assert endpoints.subscribed("ada", BAD) == [bad, both]


def test_a_type_without_subscriptions_has_no_subscribers() -> None:
    assert listed(endpoint()).subscribed("ada", "generation") == []


@pytest.mark.parametrize("status", [EndpointStatus.DISABLED, EndpointStatus.REVOKED])
def test_an_endpoint_that_is_not_active_is_not_subscribed(status: EndpointStatus) -> None:
    off, on = endpoint("whend_1"), endpoint("whend_2")
    off.set_status(status, 9)
    assert listed(off, on).subscribed("ada", GOOD) == [on]


def test_an_endpoint_that_is_enabled_again_keeps_its_place() -> None:
    kept = [endpoint("whend_1"), endpoint("whend_2")]
    endpoints = listed(*kept)
    kept[0].set_status(EndpointStatus.DISABLED, 8)
    kept[0].set_status(EndpointStatus.ACTIVE, 9)
    assert endpoints.subscribed("ada", GOOD) == kept


def test_an_account_is_not_subscribed_to_events_of_others() -> None:
    assert listed(endpoint()).subscribed("ben", GOOD) == []


# --- overlap of a rotation -------------------------------------------------------------------


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 3 * 10**6))
def test_a_replaced_secret_signs_beside_the_new_one_until_the_overlap_is_over(
    rotated_ms: int, overlap_ms: int, now_ms: int
) -> None:
    rotated = endpoint()
    rotated.rotate_secret(Chance(7), rotated_ms, overlap_ms)
    both = now_ms < rotated_ms + overlap_ms
    expected = (rotated.secret, "whsec_old") if both else (rotated.secret,)
    assert rotated.secrets_at(now_ms) == expected


def test_without_a_rotation_one_secret_signs() -> None:
    assert endpoint().secrets_at(0) == ("whsec_old",)


def test_after_two_rotations_the_first_secret_is_invalid() -> None:
    rotated = endpoint()
    rotated.rotate_secret(Chance(7), 0, 1000)
    second = rotated.secret
    rotated.rotate_secret(Chance(7), 10, 1000)
    assert rotated.secrets_at(20) == (rotated.secret, second)


# --- inactive endpoints ----------------------------------------------------------------------


@pytest.mark.parametrize("status", list(EndpointStatus))
def test_even_inactive_returns_inactive_endpoints_too(status: EndpointStatus) -> None:
    off, other_type = endpoint("whend_1"), endpoint("whend_2", "ada", BAD)
    off.set_status(status, 9)
    assert listed(off, other_type).subscribed("ada", GOOD, even_inactive=True) == [off]


def test_the_limit_of_endpoints_includes_revoked_ones() -> None:
    endpoints = Endpoints(max_endpoints=2)
    for name in ("whend_1", "whend_2"):
        endpoints.require_room()
        endpoints.add(replace(endpoint(name), status=EndpointStatus.REVOKED))
    with pytest.raises(Invalid, match=r"limits\.webhook_endpoints"):
        endpoints.require_room()
