"""The public list of models, as the vendor's model pages have them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mock import Mock


def param(key: str, *options: str) -> dict[str, Any]:
    """A parameter with these options; the first is the default."""
    facts = {"key": key, "type": "select", "required": False}
    return facts | {"default": options[0], "options": list(options)}


PROMPT_OPTIMIZER = param("prompt_optimizer", "false", "true")
DURATION = param("duration", "6", "10")
RESOLUTION = param("resolution", "512P", "768P")
BOTH = {
    "category": "video",
    "runtime": "async_task",
    "billing_type": "FIXED",
    "supported_modes": ["text-to-video", "image-to-video"],
    "max_prompt_length": 1500,
    "reference_media": {
        "kinds": ["image"],
        "max_files": 2,
        "max_size_mb": 10,
        "mime_types": ["image/jpeg", "image/png", "image/webp"],
    },
    "api_status": "available",
    "api_input_status": "partial_requires_files",
    "supported_api_inputs": ["text", "file"],
    "requires_files_api": True,
    "requires_upload_for_modes": ["image-to-video"],
    "url_input_supported": False,
    "file_kinds": ["image"],
    "chat_capabilities": None,
}
PRO = {
    "id": "hailuo-pro",
    "display_name": "Hailuo Pro",
    "base_credits": 57,
    "params": [PROMPT_OPTIMIZER],
    **BOTH,
}
STANDARD = {
    "id": "hailuo-standard",
    "display_name": "Hailuo Standard",
    "base_credits": 30,
    "params": [DURATION, RESOLUTION, PROMPT_OPTIMIZER],
    **BOTH,
}


def models(mock: Mock) -> dict[str, dict[str, Any]]:
    """The entries by id."""
    return {entry["id"]: entry for entry in mock.rivya("GET", "/models", key=None).json()["data"]}


def test_the_list_comes_in_the_list_envelope(mock: Mock) -> None:
    answer = mock.rivya("GET", "/models", key=None)
    assert list(answer.json()) == ["object", "data"]
    assert answer.json()["object"] == "list"


@pytest.mark.parametrize("expected", [PRO, STANDARD], ids=["pro", "standard"])
def test_a_hailuo_model_is_listed_as_its_page_has_it(mock: Mock, expected: dict[str, Any]) -> None:
    entry = models(mock)[expected["id"]]
    assert {name: value for name, value in entry.items() if name != "notices"} == expected


@pytest.mark.parametrize("model", ["hailuo-pro", "hailuo-standard"])
def test_a_hailuo_model_carries_one_notice_about_uploads(mock: Mock, model: str) -> None:
    (notice,) = models(mock)[model]["notices"]
    assert "Files API" in notice


def test_the_list_has_models_that_cannot_be_called(mock: Mock) -> None:
    listed = {entry["api_status"] for entry in models(mock).values()}
    assert listed == {"available", "coming_soon", "studio_only"}


def test_exactly_the_models_listed_as_available_can_be_called(mock: Mock) -> None:
    for model, entry in models(mock).items():
        called = mock.create(model=model).status == 200
        assert called == (entry["api_status"] == "available")


def test_the_listed_price_is_what_a_create_reserves(mock: Mock) -> None:
    for model, entry in models(mock).items():
        if entry["api_status"] == "available":
            assert mock.create(model=model).json()["reserved_credits"] == entry["base_credits"]


def test_a_model_without_references_says_null(mock: Mock) -> None:
    assert models(mock)["hailuo-next"]["reference_media"] is None


def test_models_of_the_other_api_are_not_listed(mock: Mock) -> None:
    assert not [model for model in models(mock) if model.startswith("minimax")]


def test_the_list_is_the_same_every_time(mock: Mock) -> None:
    assert mock.rivya("GET", "/models").body == mock.rivya("GET", "/models").body
