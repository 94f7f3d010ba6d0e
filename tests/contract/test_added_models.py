"""A model is a file: its price, its params and its references come with it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mock_server.apis import ALL
from mock_server.apis.acedata.schema import video_rules
from mock_server.apis.rivya import response_bodies
from mock_server.apis.rivya.schema import strict_generation
from mock_server.contract.contract import Contract
from mock_server.contract.data_paths import SCHEMAS
from mock_server.core.json_values import pointer
from tests.contract.order_bodies import (
    GONE,
    ITEMS,
    STRICT,
    VIDEO,
    Reference,
    places,
    refusal_of,
    with_defect,
)

DREAM = {
    "api": "rivya",
    "id": "dream-9",
    "price_credits": 7,
    "prompt": {"required": False, "max_chars": 40},
    "params": [
        {
            "key": "style",
            "type": "select",
            "required": True,
            "default": "noir",
            "options": ["noir", "pastel"],
            "description": "How it looks.",
        }
    ],
    "references": {
        "kinds": ["video"],
        "max_files": 1,
        "max_bytes": 5 * 1024 * 1024,
        "mime_types": ["video/mp4"],
    },
    "listing": {
        "display_name": "Dream 9",
        "category": "video",
        "runtime": "async_task",
        "billing_type": "FIXED",
        "supported_modes": ["text-to-video"],
        "api_status": "available",
        "api_input_status": "available_text",
        "supported_api_inputs": ["text"],
        "requires_files_api": False,
        "requires_upload_for_modes": [],
        "url_input_supported": False,
        "file_kinds": ["video"],
        "chat_capabilities": None,
        "notices": [],
    },
    "clips": [
        {"params": {"style": "noir"}, "width": 640, "height": 480, "duration_s": 3},
        {"params": {"style": "pastel"}, "width": 640, "height": 480, "duration_s": 4},
    ],
    "x-source": {"/params": "assumed:made-up"},
}
DREAM_VIDEO = {"url": "https://files.test/a.mp4", "kind": "video", "mimeType": "video/mp4"}
DREAM_ORDER = {
    "model": "dream-9",
    "params": {"style": "pastel", "referenceMediaItems": [DREAM_VIDEO]},
}


@pytest.fixture
def enlarged(tmp_path: Path) -> Contract:
    """The contract with one more model of each API: two more files, no more code."""
    folder = tmp_path / "schemas"
    shutil.copytree(SCHEMAS, folder)
    video = json.loads((folder / "models" / "minimax-t2v.json").read_text("utf-8"))
    video |= {"id": "dream-t2v", "is_default": False, "price_credits": 3, "needs_prompt": False}
    for facts in (DREAM, video):
        (folder / "models" / f"{facts['id']}.json").write_text(json.dumps(facts), "utf-8")
    return Contract(folder, ALL)


def test_the_made_up_model_is_one_the_catalogue_may_hold() -> None:
    form = json.loads((SCHEMAS / "models.schema.json").read_text("utf-8"))
    assert list(Reference(form).iter_errors(DREAM)) == []


def test_an_added_model_takes_its_own_params_and_references(enlarged: Contract) -> None:
    assert enlarged.of(strict_generation).require(DREAM_ORDER) == "dream-9"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("params", "style"), GONE),
        (("params", "style"), "sepia"),
        (("params", "duration"), "6"),
        (("prompt",), "x" * 41),
        (ITEMS, [DREAM_VIDEO] * 2),
        ((*ITEMS, 0, "kind"), "image"),
        ((*ITEMS, 0, "mimeType"), "image/png"),
    ],
)
def test_an_added_model_refuses_what_its_file_does_not_allow(
    enlarged: Contract, path: tuple[str | int, ...], value: Any
) -> None:
    body = with_defect(DREAM_ORDER, path, value)
    assert places(refusal_of(enlarged.of(strict_generation), body)) == {pointer(path)}


def test_an_added_model_has_its_price_and_clips(enlarged: Contract) -> None:
    dream = enlarged.catalog.find("rivya", "dream-9")
    assert dream.price_credits == 7
    assert dream.clip_for({"style": "pastel"}).duration_s == 4
    assert dream.clip_for({}).duration_s == 3


def test_an_added_model_is_listed_with_what_it_takes(enlarged: Contract) -> None:
    listed = response_bodies.model(enlarged.catalog.find("rivya", "dream-9"))
    assert Reference(enlarged.schema("rivya/model")).is_valid(listed)
    assert (listed["id"], listed["base_credits"], listed["max_prompt_length"]) == ("dream-9", 7, 40)
    assert [(param["key"], param["options"]) for param in listed["params"]] == [
        ("style", ["noir", "pastel"])
    ]
    assert listed["reference_media"] == {
        "kinds": ["video"],
        "max_files": 1,
        "max_size_mb": 5,
        "mime_types": ["video/mp4"],
    }


def test_an_added_model_is_among_those_a_mistyped_name_may_have_meant(enlarged: Contract) -> None:
    (found,) = refusal_of(enlarged.of(strict_generation), {"model": "dreem-9"})
    assert "did you mean 'dream-9'?" in found.sentence


def test_an_added_acedata_model_has_its_own_needs_and_price(enlarged: Contract) -> None:
    body = {"action": "generate", "model": "dream-t2v"}
    assert enlarged.of(video_rules).require(body) == "dream-t2v"
    assert enlarged.catalog.find("acedata", "dream-t2v").price_credits == 3


def test_adding_models_changes_nothing_for_the_others(enlarged: Contract) -> None:
    for before, after in [
        (STRICT, enlarged.of(strict_generation)),
        (VIDEO, enlarged.of(video_rules)),
    ]:
        assert before.schemas == {model_id: after.schemas[model_id] for model_id in before.schemas}
