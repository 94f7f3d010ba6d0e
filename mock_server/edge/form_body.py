"""multipart/form-data, read whole or refused: Starlette parses, and forgives a body cut short."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, BinaryIO

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from mock_server.core.json_pointer import pointer
from mock_server.core.refusals import CannotStore, Invalid, Refusal
from mock_server.edge.call import BodyAwaited, Call
from mock_server.simulation.upload_folder import temporary_folder

_IN_MEMORY_BYTES = 1024 * 1024
"""How much of each file stays in memory; a longer one goes to the disk."""

_BEGINNING_BYTES = 8192


@dataclass(frozen=True, slots=True)
class FilePart:
    """A part that came with a file name. beginning: enough to tell its type by."""

    name: str
    file: BinaryIO
    size_bytes: int
    beginning: bytes


def form_of(call: Call) -> dict[str, Any]:
    """The form's fields: a string each, a FilePart for files, which are closed with the call.

    Refuses with Invalid another content type, a body that is malformed, cut short or over
    `limits.upload_bytes`, and a field that comes twice; with CannotStore what the disk does not
    take. Raises BodyAwaited as long as the form has not been read.
    """
    declared = call.header(b"content-type") or ""
    if declared.partition(";")[0].strip().lower() != "multipart/form-data":
        raise Invalid.at("header Content-Type", "contentType", "must be multipart/form-data")
    call.require_identity()
    if call.form is None:
        raise BodyAwaited(partial(_read_form, call))
    if isinstance(call.form, Refusal):
        raise call.form
    return call.form


async def _read_form(call: Call) -> None:
    """Wait for the form, and keep with the call what came of it."""
    parser = _Parser(call)
    call.files = parser.files
    try:
        temporary_folder()  # a file that is longer than `_IN_MEMORY_BYTES` goes there
        call.form = _fields(await parser.parse())
        if not parser.is_whole:
            raise _malformed("the closing boundary is missing, so the body was cut short")
    except MultiPartException as error:
        call.form = _malformed(error.message)
    except Refusal as refusal:
        call.form = refusal
    except (KeyError, ValueError, UnicodeError):
        call.form = _malformed("a part's headers cannot be read")
    except OSError as error:
        call.form = CannotStore(f"the file could not be stored: {error.strerror}")


class _Parser(MultiPartParser):
    """Starlette's parser. is_whole: whether the closing boundary came."""

    spool_max_size = _IN_MEMORY_BYTES

    def __init__(self, call: Call) -> None:
        pieces = call.pieces("upload_bytes")
        super().__init__(Headers(scope=call.scope), pieces, max_files=8, max_fields=32)
        self.is_whole = False

    @property
    def files(self) -> Sequence[IO[bytes]]:
        """Every file that was opened, also one whose part was never finished."""
        return self._files_to_close_on_error

    def on_headers_finished(self) -> None:
        """A part begins."""
        super().on_headers_finished()
        if (opened := self._current_part.file) is not None:
            self._current_part.file = _Upload(
                opened.file, size=0, filename=opened.filename, headers=opened.headers
            )

    def on_end(self) -> None:
        """The closing boundary came."""
        self.is_whole = True


class _Upload(UploadFile):
    """Starlette's, without its threads: to load what they need takes 50 ms."""

    async def write(self, data: bytes) -> None:
        """Append to the file."""
        self.size = (self.size or 0) + len(data)
        await asyncio.to_thread(self.file.write, data)

    async def seek(self, offset: int) -> None:
        """Go to a place in the file."""
        self.file.seek(offset)


def _fields(form: FormData) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in form.multi_items():
        if name in fields:
            raise Invalid.at(pointer([name]), "uniqueNames", "stands twice in the form")
        fields[name] = _file_part(value) if isinstance(value, UploadFile) else value
    return fields


def _file_part(upload: UploadFile) -> FilePart:
    beginning = upload.file.read(_BEGINNING_BYTES)
    upload.file.seek(0)
    return FilePart(upload.filename or "", upload.file, upload.size or 0, beginning)


def _malformed(sentence: str) -> Invalid:
    return Invalid.at("", "multipart", f"is no readable form: {sentence}")
