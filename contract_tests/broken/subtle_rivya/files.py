"""Broken servers of Rivya that change uploads beside the examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from contract_tests.broken.broken_server import Answer
from contract_tests.broken.rivya.messages import FILES, edit, is_created, on_answer, refuse

MEDIA = r"GET /media/.+/files/.+"


def _equal_files_are_one(answer: Answer) -> None:
    if is_created(answer):
        kept = answer.memory.setdefault(f"file of {answer.json['size_bytes']}", answer.body)
        answer.body = kept


def _serve_the_first(answer: Answer) -> None:
    if answer.status == 200:
        answer.body = answer.memory.setdefault(answer.sent.path.rpartition("/")[2], answer.body)


def _serve_once(answer: Answer) -> None:
    count = answer.memory.setdefault("count", Counter())
    count[answer.sent.path] += 1
    if count[answer.sent.path] > 1:
        answer.status, answer.body = 404, b""


def _serve_changed(change_bytes: Callable[[bytes], bytes]) -> Callable[[Answer], None]:
    def change(answer: Answer) -> None:
        if answer.status == 200:
            answer.body = change_bytes(answer.body)

    return change


def _kind_first(answer: Answer) -> None:
    body = answer.sent.body
    if answer.status == 200 and body.find(b'name="kind"') > body.find(b'name="file"'):
        refuse(answer)


def _refuse_size(limit: int) -> Callable[[Answer], None]:
    def change(answer: Answer) -> None:
        if answer.status == 200 and len(answer.sent.body) > limit:
            refuse(answer)

    return change


def _refuse_type(name: bytes) -> Callable[[Answer], None]:
    def change(answer: Answer) -> None:
        if answer.status == 200 and name in answer.sent.body:
            refuse(answer)

    return change


def _rename_file(change_name: Callable[[str], str]) -> Callable[[Any], None]:
    return lambda file: file.update(name=change_name(file["name"]))


edit("file-names-are-ascii", "rule.upload-is-described", FILES,
     _rename_file(lambda name: name.encode("ascii", "ignore").decode()))  # fmt: skip
edit("file-names-are-decoded", "rule.upload-is-described", FILES, _rename_file(unquote))
edit("file-names-lose-spaces", "rule.upload-is-described", FILES,
     _rename_file(lambda name: name.replace(" ", "_")))  # fmt: skip
on_answer("equal-files-are-one", "rule.ids-differ", r"POST /api/v1/files", _equal_files_are_one)
on_answer("equal-names-share-bytes", "rule.upload-url-serves-the-bytes", MEDIA, _serve_the_first)
on_answer("uploads-are-served-once", "rule.upload-url-serves-the-bytes", MEDIA, _serve_once)
on_answer("uploads-are-served-as-text", "rule.upload-url-serves-the-bytes", MEDIA,
          _serve_changed(lambda body: body.replace(b"\r\n", b"\n")))  # fmt: skip
on_answer("large-uploads-are-cut", "rule.upload-url-serves-the-bytes", MEDIA,
          _serve_changed(lambda body: body[:65_536]))  # fmt: skip
on_answer("kind-must-come-first", "rule.takes-what-is-valid", r"POST /api/v1/files", _kind_first)
on_answer("uploads-end-at-1-mb", "FileUpload.file", r"POST /api/v1/files", _refuse_size(2**20))
on_answer(
    "videos-end-at-10-mb", "FileUpload.file", r"POST /api/v1/files", _refuse_size(10**7 + 10**5)
)
on_answer("webm-is-unknown", "rule.every-type-is-taken", r"POST /api/v1/files",
          _refuse_type(b"webm"))  # fmt: skip
on_answer("ogg-is-unknown", "rule.every-type-is-taken", r"POST /api/v1/files",
          _refuse_type(b"OggS"))  # fmt: skip
edit("videos-have-no-token", "PublicApiFile.duration_token", FILES,
     lambda f: f.update(duration_token=None))  # fmt: skip
