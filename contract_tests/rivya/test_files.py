"""Checks of uploads: how they are stored, described, returned and refused."""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests.exchange import Exchange
from contract_tests.operations import PNG
from contract_tests.requirements import require_refusal, require_success
from contract_tests.rivya.generations import create, credits_of, request_body
from contract_tests.rivya.rules import CHEAP, RULE, known, require_equal
from contract_tests.target import Caller
from contract_tests.verdicts import Require

pytestmark = [pytest.mark.rank(2), pytest.mark.full]

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 \x18\x00\x00\x00" + b"\x30\x01\x00\x9d\x01\x2a" + b"\x00" * 18
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00" * 64
TEN_MIB = 10 * 1024 * 1024


def shape(shown: Any) -> Any:
    """A file without undocumented fields."""
    return known(shown, "PublicApiFile")


def upload(
    caller: Caller,
    content: bytes = PNG,
    *,
    name: str = "a.png",
    kind: str | None = "image",
    declared: str = "image/png",
    **fields: str,
) -> Exchange:
    """Send POST /files."""
    form = ({"kind": kind} if kind is not None else {}) | fields
    return caller.request("POST", "/files", files={"file": (name, content, declared)}, form=form)


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
    require_equal(require, "upload-is-described", shown, expected, answer)
    duration = (stored["duration_seconds"], stored["duration_token"])
    require_equal(require, "images-need-no-token", duration, (None, None), answer)
    again = rivya.get(f"/files/{stored['id']}")
    require_equal(require, "upload-is-read-back", shape(again.json), shape(stored), again)
    require_success(require, "rivya.getFile.fileId", again)
    served = rivya.target.download(stored["url"])
    if served is not None:
        require_equal(require, "upload-url-serves-the-bytes", served.body, content, served)
    require_equal(require, "reads-are-free", credits_of(rivya, require), before, answer)


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
        ("rivya.FileUpload.kind", upload(rivya, kind="Image")),
        ("rivya.FileUpload.kind", upload(rivya, kind="")),
        ("rivya.FileUpload.model", upload(rivya, model="hailuo")),
        ("rivya.FileUpload.client_request_id", upload(rivya, client_request_id="x" * 129)),
        ("rivya.FileUpload.file", rivya.request("POST", "/files", files={"other": ("a.png", PNG)},
                                            form={"kind": "image"})),
        (invalid, rivya.post("/files", {"kind": "image", "file": "a"})),
    ]  # fmt: skip
    for promise_id, answer in refused:
        require_refusal(require, "rivya", answer, "validation_failed", promise_id, invalid)


@pytest.mark.needs("second")
@pytest.mark.holds(RULE + "foreign-file-as-unknown", "rivya.error.not_found")
def test_another_account_sees_nothing_of_a_file(rivya: Caller, require: Require) -> None:
    file_id = upload(rivya).json["id"]
    other_account = rivya.target.caller("rivya", "second")
    for caller, unknown_id in ((other_account, file_id), (rivya, "file_unknown")):
        answer = caller.get(f"/files/{unknown_id}")
        require_refusal(require, "rivya", answer, "not_found", RULE + "foreign-file-as-unknown")


@pytest.mark.rank(3)
@pytest.mark.price(CHEAP)
@pytest.mark.holds(RULE + "uploads-serve-as-references", "rivya.ReferenceItem.*")
def test_an_upload_serves_as_reference(rivya: Caller, require: Require) -> None:
    stored = upload(rivya).json
    item = {"url": stored["url"], "kind": "image", "name": "a.png", "mimeType": "image/png"}
    created = create(rivya, request_body(params={"referenceMediaItems": [item, item]}))
    require_success(require, RULE + "uploads-serve-as-references", created)
    for field in ("url", "kind", "name", "mimeType"):
        require_success(require, f"rivya.ReferenceItem.{field}", created)


# --- beside the examples ------------------------------------------------------------------------

_ALL_BYTES = PNG + bytes(range(256)) * 4 + b"\r\n--boundary\r\n\r\n\r\n--\r\n\x00\xff\xfe\x1a\n\n"
_TIMED = (
    ("video", "video/mp4", MP4),
    ("video", "video/quicktime", b"\x00\x00\x00\x14ftypqt  " + bytes(80)),
    ("video", "video/webm", b"\x1aE\xdf\xa3\x9fB\x82\x84webm" + bytes(80)),
    ("audio", "audio/mpeg", b"ID3\x04" + bytes(6) + b"\xff\xfb\x90\x00" + bytes(80)),
    ("audio", "audio/mp4", b"\x00\x00\x00\x18ftypM4A " + bytes(80)),
    ("audio", "audio/wav", b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(80)),
    ("audio", "audio/aac", b"\xff\xf1\x50\x80" + bytes(80)),
    ("audio", "audio/ogg", b"OggS\x00\x02" + bytes(80)),
)  # fmt: skip
_BELOW_THE_LIMIT = 10_000_000  # bytes, in both readings of 10 MB


def require_served(require: Require, caller: Caller, stored: Any, content: bytes) -> None:
    """Require that the URL of an upload returns its bytes. One on another host is not judged."""
    served = caller.target.download(stored["url"])
    if served is not None:
        is_same = served.body == content
        require_equal(require, "upload-url-serves-the-bytes", is_same, True, served)


@pytest.mark.holds(
    RULE + "upload-url-serves-the-bytes", RULE + "upload-is-described",
    RULE + "upload-is-read-back", RULE + "ids-differ", "rivya.FileUpload.client_request_id",
)  # fmt: skip
def test_each_upload_has_its_own_name_bytes_and_url(rivya: Caller, require: Require) -> None:
    uploads = [
        ("Kadr \u00e9 \u6771\u4eac \U0001f3ac.png", PNG), ("a b+c%20&d.png", _ALL_BYTES),
        ("same.png", PNG),
        ("same.png", PNG), ("same.png", PNG + b"\x00" * 300_000), ("no-extension", JPEG),
    ]  # fmt: skip
    answers: list[Exchange] = []
    for name, content in uploads:
        answer = upload(rivya, content, name=name, client_request_id="\u00e9" * 128)
        stored = require_success(require, "rivya.FileUpload.client_request_id", answer)
        got = (stored.get("name"), stored.get("size_bytes"))
        require_equal(require, "upload-is-described", got, (name, len(content)), answer)
        answers.append(answer)
    disguised = upload(rivya, PNG, name="photo.jpg", declared="image/jpeg")
    detected = disguised.json.get("mime_type")
    require_equal(require, "upload-is-described", detected, "image/png", disguised)
    for field in ("id", "url"):
        values = [answer.json[field] for answer in answers]
        all_differ = len(set(values)) == len(values)
        require_equal(require, "ids-differ", all_differ, True, answers[-1])
    for (_, content), answer in zip(uploads, answers, strict=True):
        again = rivya.get(f"/files/{answer.json['id']}")
        require_equal(require, "upload-is-read-back", shape(again.json), shape(answer.json), again)
        for _ in range(2):
            require_served(require, rivya, answer.json, content)


@pytest.mark.rank(3)
@pytest.mark.needs("fake")
@pytest.mark.holds(
    RULE + "every-type-is-taken", "rivya.PublicApiFile.duration_token", "rivya.FileUpload.kind"
)
def test_each_usual_type_is_taken(rivya: Caller, require: Require) -> None:
    for kind, mime_type, content in _TIMED:
        answer = upload(rivya, content, name="a", kind=kind, declared=mime_type)
        stored = require_success(require, RULE + "every-type-is-taken", answer)
        detected = stored["mime_type"].replace("x-wav", "wav")
        got = (stored["kind"], detected)
        require_equal(require, "every-type-is-taken", got, (kind, mime_type), answer)
        token = stored["duration_token"]
        promise_id = "rivya.PublicApiFile.duration_token"
        require(promise_id, token, expected="a token", got=token, by=answer)
        other = "audio" if kind == "video" else "video"
        refused = upload(rivya, content, name="a", kind=other, declared=mime_type)
        promise_id = "rivya.FileUpload.kind"
        require_refusal(require, "rivya", refused, "validation_failed", promise_id)


@pytest.mark.rank(3)
@pytest.mark.holds("rivya.FileUpload.file", RULE + "upload-url-serves-the-bytes")
def test_a_file_just_below_the_limit_is_taken(rivya: Caller, require: Require) -> None:
    content = PNG.ljust(_BELOW_THE_LIMIT, b"\x01")
    answer = upload(rivya, content)
    stored = require_success(require, "rivya.FileUpload.file", answer)
    require_served(require, rivya, stored, content)
    if rivya.target.is_fake:  # a service may look into a video
        large = upload(rivya, MP4.ljust(TEN_MIB + 100, b"\x01"), kind="video", declared="video/mp4")
        require_success(require, "rivya.FileUpload.file", large)


@pytest.mark.holds(RULE + "takes-what-is-valid", "rivya.FileUpload.kind")
def test_the_order_of_the_form_s_fields_does_not_matter(rivya: Caller, require: Require) -> None:
    def part(name: str, value: bytes, extra: str = "") -> bytes:
        head = f'--x\r\ncontent-disposition: form-data; name="{name}"{extra}\r\n\r\n'
        return head.encode() + value + b"\r\n"

    file = part("file", PNG, '; filename="a.png"\r\ncontent-type: image/png')
    fields = [file, part("kind", b"image"), part("model", CHEAP.encode())]
    for parts in (fields, fields[::-1]):
        headers = {"content-type": "multipart/form-data; boundary=x"}
        body = b"".join(parts) + b"--x--\r\n"
        answer = rivya.request("POST", "/files", body=body, headers=headers)
        for promise_id in ("rivya.FileUpload.kind", RULE + "takes-what-is-valid"):
            require_success(require, promise_id, answer)
