"""Changes of single fields of a JSON body, the same for answers and for events."""

from typing import Any, ClassVar

from msgspec import Struct, field

from mock_server.core.json_values import Pointer, copy_of, owner_at, set_at


class FaultEffect(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="type"
):
    """One thing that goes wrong. The member `type` names the class."""


class FieldEdits(FaultEffect, frozen=True, kw_only=True):
    """Changes of fields of a body.

    drop, rename, set, null: fields by JSON Pointer, in this order; missing ones are ignored. `set`
        can also add a field. A field is not renamed to one that exists.
    """

    whole: ClassVar[str] = "replace"
    """The name of the field that changes the whole body."""

    drop: tuple[Pointer, ...] = ()
    rename: dict[Pointer, str] = field(default_factory=dict)
    set: dict[Pointer, Any] = field(default_factory=dict)
    null: tuple[Pointer, ...] = ()

    def __post_init__(self) -> None:
        if "" in self.edited_fields:
            sentence = f'the pointer "" is the whole body, no field: use {self.whole} for that'
            raise ValueError(sentence)

    @property
    def edited_fields(self) -> tuple[Pointer, ...]:
        """The pointers of all fields that are changed."""
        return (*self.drop, *self.rename, *self.set, *self.null)

    def apply_to(self, document: Any) -> Any:
        """Drop, rename and set fields of the document, and return it."""
        for pointer in self.drop:
            owner, name = owner_at(document, pointer)
            if isinstance(owner, dict):
                owner.pop(name, None)
        for pointer, other in self.rename.items():
            owner, name = owner_at(document, pointer)
            if isinstance(owner, dict) and name in owner and other not in owner:
                owner[other] = owner.pop(name)
        for pointer, value in self.set.items():
            set_at(document, pointer, copy_of(value))
        for pointer in self.null:
            owner, name = owner_at(document, pointer)
            if not isinstance(owner, dict) or name in owner:
                set_at(document, pointer, None)
        return document
