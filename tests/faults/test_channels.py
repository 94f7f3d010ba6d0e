"""Every scenario through every channel, on every API that it names, as a client sees it.

What is expected stands once per scenario in `EXPECTED`, whichever the channel; a channel may only
change how often it is seen. Where the network itself goes wrong there is a socket, else there is
none. The clock stands still unless it is told to move, and after each cell no credit is missing.
"""

from __future__ import annotations

import pytest

from tests import calls
from tests.faults.channel_scene import FILES, Expectation, cells, scene_of
from tests.faults.expected_answers import (
    WAITS,
    becomes,
    body_is,
    broken_after,
    create_shows,
    fails_after_success,
    failure_without_error,
    goes_backwards,
    gone,
    late,
    limited,
    limited_after_three,
    lost_task,
    proxied,
    proxied_after,
    read_shows,
    refused,
    renamed,
    slow,
    success_without_url,
    unknown_error,
    upscaling,
    webhook_refused,
)
from tests.faults.expected_on_wire import EXPECTED_ON_WIRE, Wire
from tests.faults.expected_tasks import (
    delivered,
    delivered_first,
    fails_because,
    task_expires,
    task_goes,
    upload_unknown,
    video_expires,
    video_is,
    whole_video,
)
from tests.live import live
from tests.rows import each_row

HOUR_S = 3600

ON_CREATE = ("create",)

EXPECTED: dict[str, Expectation] = {
    # refused as one of the two error tables has it
    "api_error": refused(acedata_code="api_error"),
    "api_key_expired": refused(rivya_code="api_key_expired", acedata_code="token_expired"),
    "api_key_invalid": refused(rivya_code="api_key_invalid", acedata_code="invalid_token"),
    "api_key_missing": refused(rivya_code="api_key_missing", acedata_code="no_token"),
    "api_key_revoked": refused(rivya_code="api_key_revoked", acedata_code="invalid_token"),
    "api_not_implemented": refused(acedata_code="api_not_implemented"),
    "api_scope_denied": refused(rivya_code="api_scope_denied"),
    "bad_request": refused(acedata_code="bad_request", at=ON_CREATE),
    "disabled": refused(acedata_code="disabled"),
    "forbidden": refused(acedata_code="forbidden", at=ON_CREATE),
    "idempotency_conflict": refused(rivya_code="idempotency_conflict", at=ON_CREATE),
    "insufficient_credits": refused(
        rivya_code="insufficient_credits", acedata_code="used_up", at=ON_CREATE
    ),
    "internal_error": refused(rivya_code="internal_error", acedata_code="api_error"),
    "invalid_token": refused(acedata_code="invalid_token"),
    "method_not_allowed": refused(
        rivya_code="method_not_allowed", acedata_code="method_not_allowed"
    ),
    "no_api": refused(acedata_code="no_api"),
    "no_token": refused(acedata_code="no_token"),
    "public_api_disabled": refused(
        rivya_code="public_api_disabled", acedata_code="api_not_implemented"
    ),
    "rate_limited": limited("2"),
    **{f"rate_limited{way}": limited(value) for way, value in WAITS.items()},
    "timeout": refused(acedata_code="timeout", at=ON_CREATE),
    "token_expired": refused(acedata_code="token_expired"),
    "token_mismatched": refused(acedata_code="token_mismatched"),
    "too_many_requests": refused(acedata_code="too_many_requests", retry_after="2"),
    "used_up": refused(acedata_code="used_up", at=ON_CREATE),
    "validation_failed": refused(
        rivya_code="validation_failed", acedata_code="bad_request", at=ON_CREATE
    ),
    "not_found": lost_task("not_found", "task_not_found"),
    "task_not_found": lost_task("", "task_not_found"),
    "webhook_url_rejected": webhook_refused,
    "rate_limited_after_three": limited_after_three,
    "error_unknown": unknown_error,
    # a proxy answers
    "bad_gateway": proxied(502),
    "gateway_timeout": proxied(504),
    "unavailable": proxied(503, "2"),
    **{f"unavailable{way}": proxied(503, value) for way, value in WAITS.items()},
    "bad_gateway_after": proxied_after(502),
    "gateway_timeout_after": proxied_after(504),
    "internal_error_after": broken_after,
    # the answer is not what it should be
    "answer_not_json": body_is(b"upstream connect error", "application/json"),
    "answer_wrong_content_type": body_is(None, "text/html"),
    "field_dropped": create_shows(gone("id"), gone("task_id")),
    "field_null": create_shows(becomes("status", None), becomes("task_id", None)),
    "field_renamed": create_shows(renamed("id", "taskId"), renamed("task_id", "taskId")),
    "field_retyped": create_shows(becomes("id", 12345), becomes("task_id", 12345)),
    "field_unknown": create_shows(
        becomes("beta_features", {"upscale": True}),
        becomes("beta_features", {"upscale": True}),
    ),
    "status_unknown": read_shows(becomes("status", "upscaling"), upscaling),
    "success_without_url": success_without_url,
    "failure_without_error": failure_without_error,
    "status_backwards": goes_backwards,
    "fails_after_success": fails_after_success,
    # the task
    "generation_failed": task_goes((0.1, "queued"), (0.5, "processing"), (1, "failed")),
    "task_failed_moderation": fails_because("moderation"),
    "task_failed_bad_input": fails_because("bad_input"),
    "task_failed_upstream_outage": fails_because("upstream_outage"),
    "task_failed_timeout": fails_because("timeout"),
    "fails_at_once": task_goes((0, "failed")),
    "fails_late": task_goes((0.5, "processing"), (HOUR_S, "processing"), (HOUR_S + 0.2, "failed")),
    "stuck": task_goes((0.1, "queued"), (0.2, "processing"), (10**6, "processing")),
    # the time
    "slow": slow(3, 3),
    "slow_uniform": slow(1, 4),
    "slow_lognormal": slow(0, 1000),
    "late_answer": late,
    # the video
    "range_ignored": whole_video,
    "result_expired": video_is(403, "application/xml", b"Request has expired"),
    "result_expired_after_first": video_expires,
    "task_expired_after_first": task_expires,
    "upload_expired": upload_unknown,
    "result_missing": video_is(404, "text/html", b"gone"),
    # what is delivered; tests/test_delivery_scenarios.py has it byte by byte
    "delivery_before_answer": delivered_first,
    "delivery_altered": delivered(),
    "delivery_cut": delivered(),
    "delivery_deleted_endpoint": delivered(),
    "delivery_dns": delivered(),
    "delivery_dribble": delivered(),
    "delivery_empty": delivered(),
    "delivery_error": delivered(),
    "delivery_extra_fields": delivered(),
    "delivery_future": delivered(),
    "delivery_gone": delivered(),
    "delivery_hang": delivered(),
    "delivery_late": delivered(),
    "delivery_never": delivered(0),
    "delivery_not_json": delivered(),
    "delivery_old_secret": delivered(),
    "delivery_out_of_order": delivered(),
    "delivery_redirected": delivered(),
    "delivery_reformatted": delivered(),
    "delivery_answer_lost": delivered(),
    "delivery_reset": delivered(),
    "delivery_stale": delivered(),
    "delivery_storm": delivered(50),
    "delivery_success_after_failure": delivered(2),
    "delivery_throttled": delivered(),
    "delivery_tls": delivered(),
    "delivery_twice": delivered(2),
    "delivery_twice_at_once": delivered(2),
    "delivery_unknown_task": delivered(),
    "delivery_unknown_type": delivered(),
    "delivery_unsigned": delivered(),
    "delivery_wrong_content_type": delivered(),
    "delivery_wrong_secret": delivered(),
}


def test_every_scenario_has_an_expectation_and_every_expectation_a_scenario() -> None:
    assert sorted([*EXPECTED, *EXPECTED_ON_WIRE]) == sorted(FILES)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_scenario_shows_the_same_through_every_channel(name: str) -> None:
    @each_row("name, channel, api", [cell.values for cell in cells([name])])
    def shows_the_same(name: str, channel: str, api: str) -> None:
        with scene_of(name, channel, api) as scene:
            EXPECTED[name](scene)

    shows_the_same()


@pytest.mark.parametrize(("name", "channel", "api"), list(cells(EXPECTED_ON_WIRE)))
def test_a_scenario_of_the_network_shows_the_same_through_every_channel(
    name: str, channel: str, api: str
) -> None:
    with live(**({"scenario": name} if channel == calls.DEFAULT else {})) as mock:
        wire = Wire(name, channel, api, mock)
        EXPECTED_ON_WIRE[name](wire)
        assert calls.is_balanced(wire.world)
