"""multipart/form-data, read whole or refused: Starlette parses, and forgives a body cut short."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from mock_server.core.refusals import Invalid
from mock_server.edge.call import Call
from mock_server.edge.json_body import pointer


@dataclass(frozen=True, slots=True)
class FilePart:
    """A part that came with a file name."""

    name: str
    content: bytes


async def read_form(call: Call) -> dict[str, Any]:
    """The form's fields: a string each, a FilePart for files.

    Refuses with Invalid another content type, a body that is malformed, cut short or over
    `limits.upload_bytes`, and a field that comes twice.
    """
    declared = call.header(b"content-type") or ""
    if declared.partition(";")[0].strip().lower() != "multipart/form-data":
        raise Invalid.at("header Content-Type", "contentType", "must be multipart/form-data")
    call.require_identity()
    body = call.body("upload_bytes")
    if b"--" + _boundary(declared) + b"--" not in body:
        raise _malformed("the closing boundary is missing, so the body was cut short")
    parser = _Parser(Headers(scope=call.scope), _once(body), max_files=8, max_fields=32)
    parser.spool_max_size = len(body)  # it is in memory already
    try:
        return await _fields(await parser.parse())
    except MultiPartException as error:
        raise _malformed(error.message) from None
    except (KeyError, ValueError, UnicodeError):
        raise _malformed("a part's headers cannot be read") from None
    finally:
        parser.close()


class _Parser(MultiPartParser):
    """Starlette's parser closes its files after some failures only."""

    def close(self) -> None:
        """Close every file that was opened, also one whose part was never finished."""
        for file in self._files_to_close_on_error:
            file.close()


async def _fields(form: FormData) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in form.multi_items():
        if name in fields:
            raise Invalid.at(pointer([name]), "uniqueNames", "stands twice in the form")
        if isinstance(value, UploadFile):
            fields[name] = FilePart(value.filename or "", await value.read())
        else:
            fields[name] = value
    return fields


def _boundary(content_type: str) -> bytes:
    _, options = parse_options_header(content_type)
    return options.get(b"boundary", b"")


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


def _malformed(sentence: str) -> Invalid:
    return Invalid.at("", "multipart", f"is no readable form: {sentence}")
