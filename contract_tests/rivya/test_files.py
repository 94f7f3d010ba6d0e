"""Uploads: stored, described truly, given back, and refused when they are not what they say."""

from __future__ import annotations

import pytest

from contract_tests.exchange import Exchange
from contract_tests.operations import PNG
from contract_tests.refusals import require_refusal, require_success
from contract_tests.rivya.generations import CHEAP, create, credits_of, order
from contract_tests.target import Caller
from contract_tests.verdicts import Require

RULE = "rivya.rule."
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 \x18\x00\x00\x00" + b"\x30\x01\x00\x9d\x01\x2a" + b"\x00" * 18
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00" * 64
TEN_MIB = 10 * 1024 * 1024


def upload(
    asker: Caller,
    content: bytes = PNG,
    *,
    name: str = "a.png",
    kind: str | None = "image",
    declared: str = "image/png",
    **fields: str,
) -> Exchange:
    """POST /files."""
    form = ({"kind": kind} if kind is not None else {}) | fields
    return asker.ask("POST", "/files", files={"file": (name, content, declared)}, form=form)


def agree(require: Require, row: str, got: object, expected: object, by: Exchange) -> None:
    """Two things must be equal."""
    require(row, got == expected, expected=expected, got=got, by=by)


@pytest.mark.rank(2)
@pytest.mark.full
@pytest.mark.holds(
    RULE + "upload-is-read-back", RULE + "upload-is-described", RULE + "images-need-no-token",
    RULE + "upload-url-serves-the-bytes", RULE + "reads-are-free", "rivya.PublicApiFile*",
    "rivya.uploadFile.200", "rivya.getFile.200", "rivya.getFile.fileId", "rivya.FileUpload.*",
)  # fmt: skip
@pytest.mark.parametrize(
    ("content", "mime_type"),
    [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")],
    ids=["png", "jpeg", "webp"],
)
def test_an_image_is_stored_and_given_back(
    rivya: Caller, content: bytes, mime_type: str, require: Require
) -> None:
    before = credits_of(rivya, require)
    name = f"frame.{mime_type.rpartition('/')[2]}"
    answer = upload(
        rivya, content, name=name, declared=mime_type, model=CHEAP, client_request_id="trace-1"
    )
    stored = require_success(require, RULE + "upload-is-described", answer)
    for field in ("file", "kind", "model", "client_request_id"):
        require_success(require, f"rivya.FileUpload.{field}", answer)
    shown = {n: stored[n] for n in ("object", "kind", "name", "mime_type", "size_bytes")}
    expected = {
        "object": "file", "kind": "image", "name": name, "mime_type": mime_type,
        "size_bytes": len(content),
    }  # fmt: skip
    agree(require, RULE + "upload-is-described", shown, expected, answer)
    timed = (stored["duration_seconds"], stored["duration_token"])
    agree(require, RULE + "images-need-no-token", timed, (None, None), answer)
    again = rivya.get(f"/files/{stored['id']}")
    agree(require, RULE + "upload-is-read-back", again.json, stored, again)
    require_success(require, "rivya.getFile.fileId", again)
    served = rivya.target.session.get(stored["url"], timeout=60)
    agree(
        require, RULE + "upload-url-serves-the-bytes", served.content, content,
        rivya.target.door.last,
    )  # fmt: skip
    agree(require, RULE + "reads-are-free", credits_of(rivya, require), before, answer)


@pytest.mark.rank(2)
@pytest.mark.full
@pytest.mark.holds(
    RULE + "bytes-decide", RULE + "kind-must-agree", RULE + "model-narrows-uploads",
    RULE + "refuses-what-is-invalid", "rivya.FileUpload.*", "rivya.model.hailuo-*.references*",
)  # fmt: skip
def test_what_is_not_what_it_says_is_refused(rivya: Caller, require: Require) -> None:
    invalid = RULE + "refuses-what-is-invalid"
    pro = "rivya.model.hailuo-pro.references"
    refused = [
        (RULE + "bytes-decide", upload(rivya, b"just a text\n")),
        (RULE + "bytes-decide", upload(rivya, b"", name="empty.png")),
        (RULE + "bytes-decide", upload(rivya, PNG[1:])),
        (RULE + "kind-must-agree", upload(rivya, kind="video")),
        (RULE + "kind-must-agree", upload(rivya, kind="audio")),
        (RULE + "kind-must-agree", upload(rivya, MP4, name="a.mp4", declared="video/mp4")),
        (RULE + "model-narrows-uploads", upload(rivya, MP4, kind="video", model="hailuo-pro")),
        (pro, upload(rivya, MP4, kind="video", model="hailuo-pro")),
        (pro + ".max_bytes", upload(rivya, PNG + bytes(TEN_MIB), model="hailuo-pro")),
        ("rivya.FileUpload.file", upload(rivya, PNG + bytes(TEN_MIB))),
        ("rivya.FileUpload.kind", upload(rivya, kind=None)),
        ("rivya.FileUpload.kind", upload(rivya, kind="picture")),
        ("rivya.FileUpload.model", upload(rivya, model="hailuo")),
        ("rivya.FileUpload.client_request_id", upload(rivya, client_request_id="x" * 129)),
        ("rivya.FileUpload.file", rivya.ask("POST", "/files", files={"other": ("a.png", PNG)},
                                            form={"kind": "image"})),
        (invalid, rivya.post("/files", {"kind": "image", "file": "a"})),
    ]  # fmt: skip
    for row, answer in refused:
        require_refusal(require, "rivya", answer, "validation_failed", row, invalid)


@pytest.mark.rank(2)
@pytest.mark.full
@pytest.mark.needs("second")
@pytest.mark.holds(RULE + "foreign-file-as-unknown", "rivya.error.not_found")
def test_another_account_sees_nothing_of_a_file(rivya: Caller, require: Require) -> None:
    file_id = upload(rivya).json["id"]
    stranger = rivya.target.caller("rivya", "second")
    for asker, wanted in ((stranger, file_id), (rivya, "file_that_never_was")):
        answer = asker.get(f"/files/{wanted}")
        require_refusal(require, "rivya", answer, "not_found", RULE + "foreign-file-as-unknown")


@pytest.mark.rank(3)
@pytest.mark.full
@pytest.mark.price(CHEAP)
@pytest.mark.holds(RULE + "uploads-serve-as-references", "rivya.ReferenceItem.*")
def test_an_upload_serves_as_reference(rivya: Caller, require: Require) -> None:
    stored = upload(rivya).json
    item = {"url": stored["url"], "kind": "image", "name": "a.png", "mimeType": "image/png"}
    created = create(rivya, order(params={"referenceMediaItems": [item, item]}))
    require_success(require, RULE + "uploads-serve-as-references", created)
    for field in ("url", "kind", "name", "mimeType"):
        require_success(require, f"rivya.ReferenceItem.{field}", created)
