"""Recordings, and how they differ from the contract and from each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract_tests.contract import contract
from contract_tests.drift import examples
from contract_tests.drift.command import drift
from contract_tests.drift.differences import Difference, compare_recordings, compare_with_contract
from contract_tests.drift.recording import (
    FILE,
    RecordedExchange,
    Recording,
    RecordingError,
    read,
    timing_of,
    write,
)
from contract_tests.exchange import Exchange
from contract_tests.fakes import KEYS, RunningFake
from contract_tests.redaction import Redaction
from tests.contract_tests.test_check import check
from tests.contract_tests.test_conformance import KEY, TASK, exchange

CONTRACT = contract()
SUCCEEDED = TASK | {
    "status": "succeeded", "final_credits": 57,
    "result": {"primary_url": "https://a.test/a", "urls": ["https://a.test/a"]},
}  # fmt: skip


def recorded(answer: Any, status: int = 200, **changes: Any) -> RecordedExchange:
    row = RecordedExchange(
        operation="getGeneration",
        method="GET",
        path="/api/v1/generations/task_1",
        sent_headers={},
        sent=None,
        status=status,
        code=None,
        headers={"content-type": "application/json"},
        answer=answer,
        timing="instant",
    )
    return replace(row, **changes)


def recording(*rows: RecordedExchange, is_fake: bool = False) -> Recording:
    return Recording(is_fake, rows)


def changed(change: Callable[[Any], Any]) -> Any:
    answer = deepcopy(SUCCEEDED)
    change(answer)
    return answer


def only_difference(found: list[Difference]) -> Difference:
    (difference,) = found
    return difference


def test_answers_that_keep_the_contract_have_no_difference() -> None:
    assert compare_with_contract(recording(recorded(TASK), recorded(SUCCEEDED)), CONTRACT) == []


@pytest.mark.parametrize(
    ("answer", "kind", "edit"),
    [
        (changed(lambda g: g.pop("model")), "field", ("remove", "/required", "model")),
        (changed(lambda g: g.update(eta_s=5)), "field",
         ("add", "/properties/eta_s", {"type": "integer", "x-source": "observed"})),
        (changed(lambda g: g.update(reserved_credits="57")), "type",
         ("replace", "/properties/reserved_credits/type", ["string"])),
        (changed(lambda g: g.update(created_at="2026-05-11")), "form",
         ("remove", "/properties/created_at/pattern", None)),
    ],
    ids=["missing", "new", "type", "form"],
)  # fmt: skip
def test_a_difference_has_a_kind_a_cause_and_an_edit(
    answer: Any, kind: str, edit: tuple[str, str, Any]
) -> None:
    found = compare_with_contract(recording(recorded(answer)), CONTRACT)
    difference = next(each for each in found if each.kind == kind and each.edit)
    assert difference.cause == "service"
    assert difference.edit is not None
    assert difference.edit["file"] == "schemas/rivya/generation.json"
    op, path, value = edit
    assert (difference.edit["op"], difference.edit["path"]) == (op, path)
    assert difference.edit.get("value") == value


def test_an_undocumented_status_and_a_wrong_price_are_differences() -> None:
    teapot = recorded(TASK, 418)
    assert only_difference(compare_with_contract(recording(teapot), CONTRACT)).kind == "status"
    dear = TASK | {"reserved_credits": 75}
    row = recorded(dear, operation="createGeneration", method="POST", path="/api/v1/generations")
    difference = only_difference(compare_with_contract(recording(row), CONTRACT))
    assert (difference.kind, difference.expected, difference.got) == ("price", "57", "75")
    assert difference.edit == {
        "file": "schemas/models/hailuo-pro.json", "op": "replace", "path": "/price_credits",
        "value": 75,
    }  # fmt: skip


def test_the_cause_is_the_side_that_breaks_the_contract() -> None:
    wrong, right = recorded(changed(lambda g: g.update(final_credits="57"))), recorded(SUCCEEDED)
    fake, real = recording(right, is_fake=True), recording(wrong)
    assert {each.cause for each in compare_recordings(fake, real, CONTRACT)} == {"contract"}
    fake, real = recording(wrong, is_fake=True), recording(right)
    assert {each.cause for each in compare_recordings(fake, real, CONTRACT)} == {"fake"}
    assert {each.cause for each in compare_recordings(recording(right), real, CONTRACT)} == set()


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (recorded(changed(lambda g: g.update(eta_s=5))), "field"),
        (recorded(changed(lambda g: g.update(final_credits=None))), "type"),
        (recorded(changed(lambda g: g.update(status="done"))), "enum"),
        (recorded(SUCCEEDED, headers={"allow": "GET"}), "header"),
        (recorded(SUCCEEDED, timing="minutes"), "timing"),
        (recorded(SUCCEEDED, 201), "status"),
        (recorded({"error": {"code": "x"}}, 200, code="x"), "code"),
    ],
)  # fmt: skip
def test_two_recordings_differ_in_one_way(row: RecordedExchange, kind: str) -> None:
    found = compare_recordings(
        recording(recorded(SUCCEEDED)), recording(recorded(SUCCEEDED), row), CONTRACT
    )
    assert {each.kind for each in found} == {kind}


def test_a_recording_has_no_secret_and_is_reproducible(tmp_path: Path) -> None:
    def kept(folder: str, request_id: str) -> str:
        error = {"code": "not_found", "message": KEY, "requestId": request_id}
        exchanges: list[Exchange] = [
            exchange({"error": error}, 404),
            exchange(b"", path="/media/a.mp4"),
        ]
        write(exchanges, Redaction([KEY]), tmp_path / folder, is_fake=True)
        return (tmp_path / folder / FILE).read_text("utf-8")

    first, second = kept("a", "req_aaaaaaaaaaaa"), kept("b", "req_bbbbbbbbbbbb")
    assert first == second
    assert KEY not in first
    assert len(read(tmp_path / "a").exchanges) == 1


@pytest.mark.parametrize("text", ["", "{}", '{"form": 99}', '{"form": 1, "exchanges": [{}]}'])
def test_a_folder_without_a_valid_recording_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, "utf-8")
    with pytest.raises(RecordingError):
        read(tmp_path)
    assert drift([str(tmp_path)]) == 2
    assert drift([str(tmp_path / "nowhere")]) == 2


def test_the_fake_recorded_shows_no_drift_and_makes_examples(tmp_path: Path) -> None:
    with RunningFake("default", seed=1) as fake:
        base = ("--base-url", fake.url, "--quick", "--only", "test_life", "--only", "test_modes")
        check(*base, "--record", str(tmp_path / "first"))
        check(*base, "--record", str(tmp_path / "second"))
    kept = (tmp_path / "first" / FILE).read_text("utf-8")
    assert [key for keys in KEYS.values() for key in keys.values() if key in kept] == []
    assert drift([str(tmp_path / "first"), "--examples", str(tmp_path / "examples")]) == 0
    assert drift([str(tmp_path / "first"), str(tmp_path / "second")]) == 0
    written = [json.loads(path.read_text("utf-8")) for path in (tmp_path / "examples").iterdir()]
    assert {"createGeneration", "createVideo"} <= {e["seen"].split()[1].strip(",") for e in written}
    assert all({"seen", "api", "request", "answer"} == example.keys() for example in written)
    assert examples.write(recording(), tmp_path / "none") == []


@pytest.mark.parametrize(("took_s", "timing"), [(0.1, "instant"), (5, "seconds"), (90, "minutes")])
def test_times_are_rounded(took_s: float, timing: str) -> None:
    assert timing_of(took_s) == timing
