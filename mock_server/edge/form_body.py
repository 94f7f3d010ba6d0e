"""Reads multipart/form-data. Starlette's parser accepts a body that is cut short; this does not."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import IO, Any, BinaryIO

from msgspec import Struct
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from mock_server.core.json_values import pointer
from mock_server.core.refusals import CannotStore, Invalid, Refusal
from mock_server.edge.call import BodyAwaited, Call
from mock_server.simulation.upload_folder import temporary_folder

_IN_MEMORY_BYTES = 1024 * 1024
"""The maximum size of a file in memory; a larger file is written to disk."""

_BEGINNING_BYTES = 8192


class FilePart(Struct, frozen=True):
    """A part with a file name. beginning: enough bytes to detect its type."""

    name: str
    file: BinaryIO
    size_bytes: int
    beginning: bytes


def form_of(call: Call) -> dict[str, Any]:
    """The form's fields: a string each, or a FilePart. Files are closed with the call.
    Refuses with Invalid another content type, a body that is malformed, cut short or over
    `limits.upload_bytes`, and a repeated field; with CannotStore if the disk cannot take a file.
    Raises BodyAwaited if the form has not been read yet."""
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
    """Wait for the form, and store it or its refusal in the call."""
    parser = _Parser(call)
    call.files = parser.files
    try:
        temporary_folder()  # for files longer than `_IN_MEMORY_BYTES`
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
    """Starlette's parser. is_whole: whether the closing boundary has been read."""

    spool_max_size = _IN_MEMORY_BYTES

    def __init__(self, call: Call) -> None:
        pieces = call.pieces("upload_bytes")
        super().__init__(Headers(scope=call.scope), pieces, max_files=8, max_fields=32)
        self.is_whole = False

    @property
    def files(self) -> Sequence[IO[bytes]]:
        """Every file that was opened, including those of unfinished parts."""
        return self._files_to_close_on_error

    def on_headers_finished(self) -> None:
        """Called when a part begins."""
        super().on_headers_finished()
        if (opened := self._current_part.file) is not None:
            self._current_part.file = _Upload(
                opened.file, size=0, filename=opened.filename, headers=opened.headers
            )

    def on_end(self) -> None:
        """Called at the closing boundary."""
        self.is_whole = True


class _Upload(UploadFile):
    """Starlette's UploadFile without anyio's threads, whose import takes 50 ms."""

    async def write(self, data: bytes) -> None:
        """Append to the file."""
        self.size = (self.size or 0) + len(data)
        await asyncio.to_thread(self.file.write, data)

    async def seek(self, offset: int) -> None:
        """Set the position in the file."""
        self.file.seek(offset)


def _fields(form: FormData) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in form.multi_items():
        if name in fields:
            raise Invalid.at(pointer([name]), "uniqueNames", "occurs twice in the form")
        fields[name] = _file_part(value) if isinstance(value, UploadFile) else value
    return fields


def _file_part(upload: UploadFile) -> FilePart:
    beginning = upload.file.read(_BEGINNING_BYTES)
    upload.file.seek(0)
    return FilePart(upload.filename or "", upload.file, upload.size or 0, beginning)


def _malformed(sentence: str) -> Invalid:
    return Invalid.at("", "multipart", f"is not a readable form: {sentence}")
