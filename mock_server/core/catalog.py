"""Models, their prices and limits, as frozen values read from the contract's data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Clip:
    """A result video: for which params it is the result, and what it is like."""

    params: Mapping[str, str]
    width: int
    height: int
    duration_s: int

    @property
    def file_name(self) -> str:
        """The clip's file in `fixtures/media`."""
        return f"{self.width}x{self.height}-{self.duration_s}s.mp4"


@dataclass(frozen=True, slots=True)
class MediaRules:
    """What a file must be to serve as a reference: kind, types, size in bytes."""

    kinds: tuple[str, ...]
    mime_types: tuple[str, ...]
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Model:
    """One model of one API.

    facts: the catalogue file as it is; what only an edge needs is read from there.
    defaults: the value a param has when a request leaves it out.
    """

    api: str
    id: str
    price_credits: int
    references: MediaRules | None
    defaults: Mapping[str, str]
    clips: tuple[Clip, ...]
    facts: Mapping[str, Any]

    @property
    def is_callable(self) -> bool:
        """Whether a generation can be asked of it through the API."""
        listing: Mapping[str, Any] = self.facts.get("listing", {})
        return bool(listing.get("api_status", "available") == "available")

    def clip_of(self, request: Mapping[str, Any]) -> Clip:
        """The clip that shows what a request asks for. Raises LookupError if there is none."""
        params = request.get("params")
        # Ace Data Cloud's requests have no params; what stands there in vain may be anything.
        return self.clip_for(params if isinstance(params, dict) else {})

    def clip_for(self, params: Mapping[str, Any]) -> Clip:
        """The clip that shows what these params ask for, defaults filled in."""
        asked = {**self.defaults, **{key: _as_option(value) for key, value in params.items()}}
        for clip in self.clips:
            if clip.params.items() <= asked.items():
                return clip
        raise LookupError(f"{self.id} has no clip for {asked}")


class Catalog:
    """All models of all APIs."""

    def __init__(self, models: Iterable[Model]) -> None:
        self._models = MappingProxyType({(model.api, model.id): model for model in models})

    @property
    def apis(self) -> frozenset[str]:
        """The names of the APIs that have a model."""
        return frozenset(model.api for model in self._models.values())

    def find(self, api: str, model_id: str) -> Model:
        """The model. Raises KeyError for one this API does not have."""
        return self._models[api, model_id]

    def of(self, api: str) -> tuple[Model, ...]:
        """Every model of an API, in the order of the catalogue."""
        return tuple(model for model in self._models.values() if model.api == api)


def _as_option(value: Any) -> Any:
    """How an option is spelled: lenient rules let JSON true and 6 stand for "true" and "6"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | float) else value
