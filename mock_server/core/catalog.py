"""Models with their prices and limits, as immutable values."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct


class Video(Struct, frozen=True, order=True):
    """The size and the duration of a result video."""

    width: int
    height: int
    duration_s: int

    @property
    def file_name(self) -> str:
        """Its file in `fixtures/media`."""
        return f"{self.width}x{self.height}-{self.duration_s}s.mp4"


class Clip(Video, frozen=True, kw_only=True):
    """A result video, and the params of a request that produce it."""

    params: Mapping[str, str]


class MediaRules(Struct, frozen=True):
    """The kinds, types and size of files that a model accepts as references."""

    kinds: tuple[str, ...]
    mime_types: tuple[str, ...]
    max_bytes: int


class Model(Struct, frozen=True):
    """One model of one API.

    facts: the content of the catalogue file.
    defaults: the values of params that a request leaves out.
    """

    api: str
    id: str
    price_credits: int
    references: MediaRules | None
    defaults: Mapping[str, str]
    clips: tuple[Clip, ...]
    facts: Mapping[str, Any]

    @property
    def accepts_generations(self) -> bool:
        """Whether the API accepts creates for this model."""
        listing: Mapping[str, Any] = self.facts.get("listing", {})
        return bool(listing.get("api_status", "available") == "available")

    def clip_of(self, request: Mapping[str, Any]) -> Clip:
        """The clip for a request. Raises LookupError if there is none."""
        params = request.get("params")
        # Where requests have no params, the field is ignored and may hold anything.
        return self.clip_for(params if isinstance(params, dict) else {})

    def clip_for(self, params: Mapping[str, Any]) -> Clip:
        """The clip for these params and the defaults."""
        asked = {**self.defaults, **{key: _as_option(value) for key, value in params.items()}}
        for clip in self.clips:
            if clip.params.items() <= asked.items():
                return clip
        raise LookupError(f"{self.id} has no clip for {asked}")


class Catalog:
    """All models of all APIs."""

    def __init__(self, models: Iterable[Model]) -> None:
        self._models = {(model.api, model.id): model for model in models}

    @property
    def apis(self) -> frozenset[str]:
        """The names of the APIs that have a model."""
        return frozenset(model.api for model in self._models.values())

    def find(self, api: str, model_id: str) -> Model:
        """The model. Raises KeyError if this API does not have it."""
        return self._models[api, model_id]

    def of(self, api: str) -> tuple[Model, ...]:
        """Every model of an API, in the order of the catalogue."""
        return tuple(model for model in self._models.values() if model.api == api)


def _as_option(value: Any) -> Any:
    """The text of an option: lenient rules accept JSON true and 6 for "true" and "6"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | float) else value
