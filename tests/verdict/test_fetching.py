"""Clients that fetch results badly, or send their key to the wrong place."""

from __future__ import annotations

import pytest

from tests.verdict.day import ENDED, Day
from tests.verdict.judgements import assert_clean, found, noted, reason_of

MEDIA = {"operation": "media"}


# --- HM401 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "effect",
    [
        {"type": "body", "cut_at": 1000},
        {"type": "connection", "how": "reset", "after_bytes": 1000},
    ],
)
def test_a_cut_download_that_is_taken_for_a_whole_one_is_found(
    day: Day, effect: dict[str, object]
) -> None:
    day.fault(effect, match={"operation": "media"}, times=1)
    day.wait_and_fetch(day.create().id)
    assert "ended after 1000 bytes" in found(day.judge("HM401", run=ENDED), "HM401").sentence


def test_a_cut_download_that_ends_in_an_error_is_right(day: Day) -> None:
    day.fault("result_cut", times=1)
    day.wait_and_fetch(day.create().id)
    assert_clean(day.judge("HM401", run=ENDED | {"exit_code": 1}), ["HM401"])


def test_a_client_that_fetched_another_video_in_its_place_saw_the_cut(day: Day) -> None:
    day.fault("result_cut", times=1)
    for _ in range(2):
        day.wait_and_fetch(day.create().id)
    found(day.judge("HM110", "HM401", run=ENDED), "HM110")


def test_a_client_that_was_ended_from_outside_may_have_fetched_it_later(day: Day) -> None:
    day.fault("result_cut", times=1)
    day.wait_and_fetch(day.create().id)
    killed = {"ended_by": "judge", "exit_code": None}
    for run in (killed, None):
        asked = {} if run is None else {"run": run}
        assert "ended by itself" in reason_of(day.judge("HM401", **asked), "HM401")


def test_a_player_that_fetches_ranges_downloads_once(day: Day) -> None:
    task_id = day.create().id
    day.pass_s(5)
    for start in range(0, 3000, 1000):
        day.download(task_id, range=f"bytes={start}-{start + 999}")
    assert "never came up" in reason_of(day.judge("HM401", run=ENDED), "HM401")


def test_a_player_that_leaves_in_the_middle_has_cut_nothing_off(day: Day) -> None:
    hang = {"type": "connection", "how": "hang", "after_bytes": 1000}
    day.fault(hang, match={"operation": "media"}, times=1)
    task_id = day.create().id
    day.pass_s(5)
    day.send("GET", f"/media/default/{task_id}.mp4", api="none", leaves=True)
    assert "never came up" in reason_of(day.judge("HM401", run=ENDED), "HM401")


# --- HM402 ------------------------------------------------------------------------------------


def test_a_whole_file_in_place_of_the_rest_is_noted(day: Day) -> None:
    task_id = day.create().id
    day.pass_s(5)
    whole = {"type": "answer", "status": 200, "body": "all bytes", "content_type": "video/mp4"}
    day.fault(whole, match=MEDIA, times=1)
    day.download(task_id, range="bytes=1000-")
    assert "bytes=1000-" in noted(day.judge("HM402"), "HM402").sentence


def test_a_range_that_is_answered_with_a_range_is_right(day: Day) -> None:
    task_id = day.create().id
    day.pass_s(5)
    assert day.download(task_id, range="bytes=1000-").status == 206
    assert_clean(day.judge("HM402"), ["HM402"])


# --- HM403 and HM404 --------------------------------------------------------------------------


def fetch_from_media_origin(day: Day, *, with_key: bool, redirects: bool = False) -> None:
    """A download whose exchange is noted as one at the second origin."""
    task_id = day.create().id
    day.pass_s(5)
    path = f"/media/default/{task_id}.mp4"
    if redirects:
        location = {"location": f"http://media.test{path}"}
        moved = {"type": "answer", "status": 302, "headers": location}
        day.fault(moved, match=MEDIA, times=1)
        day.send("GET", path)
    day.send("GET", path, api="rivya" if with_key else "none")
    list(day.world.journal)[-1].origin = "media"


def test_a_key_at_the_media_host_is_found(day: Day) -> None:
    fetch_from_media_origin(day, with_key=True)
    found(day.judge("HM403", "HM404"), "HM403")


def test_a_download_without_a_key_is_right(day: Day) -> None:
    fetch_from_media_origin(day, with_key=False)
    assert_clean(day.judge("HM403"), ["HM403"])


def test_a_key_that_follows_a_redirect_is_found(day: Day) -> None:
    fetch_from_media_origin(day, with_key=True, redirects=True)
    assert len(found(day.judge("HM403", "HM404"), "HM404").requests) == 2


def test_a_redirect_that_is_followed_without_the_key_is_right(day: Day) -> None:
    fetch_from_media_origin(day, with_key=False, redirects=True)
    assert_clean(day.judge("HM404"), ["HM404"])


def test_a_key_at_the_host_of_the_api_is_right(day: Day) -> None:
    task_id = day.create().id
    day.pass_s(5)
    day.send("GET", f"/media/default/{task_id}.mp4")
    judgement = day.judge("HM403", "HM404")
    assert (judgement.findings, judgement.judged) == ((), ())


# --- HM405 ------------------------------------------------------------------------------------


def test_a_result_that_is_never_fetched_is_noted(day: Day) -> None:
    task_id = day.create().id
    day.look_on(task_id)
    assert "never fetched" in noted(day.judge("HM405", run=ENDED), "HM405").sentence
    assert_clean(day.judge("HM405", run=ENDED | {"exit_code": 1}), ["HM405"])
    assert "from outside" in reason_of(day.judge("HM405"), "HM405")


def test_a_result_that_is_fetched_after_it_has_expired_is_found(day: Day) -> None:
    task_id = day.create().id
    day.look_on(task_id)
    day.download("task_x")  # any answer 404 stands for a video that is gone
    list(day.world.journal)[-1].task = task_id
    finding = found(day.judge("HM405", run=ENDED), "HM405")
    assert "answered 404" in finding.sentence


def test_a_result_whose_url_a_fault_lets_expire_is_not_the_client_s_fault(day: Day) -> None:
    day.fault("result_expired")
    task_id = day.create().id
    day.look_on(task_id)
    day.download(task_id)
    assert_clean(day.judge("HM405", run=ENDED), ["HM405"])


def test_a_fetched_result_is_right(day: Day) -> None:
    day.wait_and_fetch(day.create().id)
    assert_clean(day.judge("HM405", run=ENDED), ["HM405"])


# --- HM406 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["URL", "body"])
def test_a_key_in_a_url_or_a_body_is_found_and_not_shown(day: Day, place: str) -> None:
    if place == "URL":
        day.send("GET", "/api/v1/credits?api_key=rvya_sk_test")
    else:
        day.create(client_request_id="rvya_sk_test")
    finding = found(day.judge("HM406"), "HM406")
    assert f"in its {place}" in finding.sentence
    assert "rvya_sk_test" not in str(finding.timeline)


def test_a_long_key_inside_a_text_is_found() -> None:
    with Day() as day:
        long = {"key": "rvya_sk_0123456789abcdef", "api": "rivya"}
        day.door("PATCH", "/_mock/worlds/default/accounts/rivya-test", {"keys": [long]})
        day.create(client_request_id=f"{long['key']}, please")
        found(day.judge("HM406"), "HM406")


def test_a_key_in_the_header_and_a_prompt_about_keys_are_right(day: Day) -> None:
    day.create(prompt="A key named rvya_sk_test lies on a table")
    assert_clean(day.judge("HM406"), ["HM406"])
