"""Uploads: which are accepted and which are refused."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import random
import shutil
import tempfile
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.edge.file_types import duration_s
from tests import rivya
from tests.apis.rivya.uploads import (
    END,
    FILE,
    GIF,
    KIND,
    MP3,
    MP4,
    OGG,
    TAKEN,
    TEXT,
    fetch,
    part,
    send_form,
    wav,
)
from tests.asgi import Answer
from tests.mock import KEY, PNG, MakeMock, Mock, form

# --- the answer --------------------------------------------------------------------------------


def test_the_answer_describes_the_file(mock: Mock) -> None:
    answer = mock.upload(PNG, name="lighthouse.png")
    file_id = answer.json()["id"]
    assert answer.status == 200
    assert list(answer.json().items())[1:] == [
        ("object", "file"),
        ("kind", "image"),
        ("url", f"http://mock.test/media/default/files/{file_id}/lighthouse.png"),
        ("name", "lighthouse.png"),
        ("mime_type", "image/png"),
        ("size_bytes", len(PNG)),
        ("duration_seconds", None),
        ("duration_token", None),
        ("created_at", "2026-05-11T00:00:00.000Z"),
    ]


def test_the_id_of_a_file_begins_with_file(mock: Mock) -> None:
    assert mock.upload().json()["id"].startswith("file_")


def test_the_same_file_twice_is_two_files(mock: Mock) -> None:
    first, second = mock.upload().json(), mock.upload().json()
    assert first["id"] != second["id"]
    assert first["url"] != second["url"]


def test_get_shows_the_very_answer_of_the_upload(mock: Mock) -> None:
    uploaded = mock.upload()
    mock.advance(5)
    answer = mock.rivya("GET", f"/files/{uploaded.json()['id']}")
    assert (answer.status, answer.body) == (200, uploaded.body)


def test_a_file_is_as_old_as_its_upload(mock: Mock) -> None:
    mock.advance(1.25)
    assert mock.upload().json()["created_at"] == "2026-05-11T00:00:01.250Z"


def test_a_file_does_not_expire(mock: Mock) -> None:
    uploaded = mock.upload().json()
    mock.advance(10**8)
    assert mock.rivya("GET", f"/files/{uploaded['id']}").status == 200
    assert fetch(mock, uploaded["url"]).body == PNG


@pytest.mark.parametrize("status", [201, 202])
def test_the_status_of_an_upload_is_a_setting(make_mock: MakeMock, status: int) -> None:
    mock = make_mock(rivya__create_status=status)
    uploaded = mock.upload()
    assert uploaded.status == status
    rivya.allow_undocumented_status(mock, status)
    assert mock.rivya("GET", f"/files/{uploaded.json()['id']}").status == 200


def test_an_upload_starts_no_generation(mock: Mock) -> None:
    mock.upload()
    assert len(mock.world.tasks) == 0


def test_a_url_begins_with_the_address_that_the_client_used_or_a_setting(
    make_mock: MakeMock,
) -> None:
    assert make_mock().upload().json()["url"].startswith("http://mock.test/media/")
    public = make_mock(public_url="https://mock.example")
    assert public.upload().json()["url"].startswith("https://mock.example/media/")


# --- types -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "content", "mime_type"), TAKEN)
def test_a_documented_type_is_recognised_by_its_bytes(
    mock: Mock, kind: str, content: bytes, mime_type: str
) -> None:
    uploaded = mock.upload(content, kind=kind, name="thing.bin").json()
    assert (uploaded["kind"], uploaded["mime_type"]) == (kind, mime_type)


@pytest.mark.parametrize(("kind", "content", "_mime_type"), TAKEN)
def test_the_bytes_must_agree_with_the_kind(
    mock: Mock, kind: str, content: bytes, _mime_type: str
) -> None:
    for other in {"image", "video", "audio"} - {kind}:
        rivya.invalid_at(mock.upload(content, kind=other), "/file")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a"])
@pytest.mark.parametrize(
    "content", [TEXT, b"\x00" * 64, b"%PDF-1.7\n", GIF, b"BM" + b"\x00" * 64, b"<svg/>", PNG[:4]]
)
def test_other_bytes_are_refused_under_every_name(mock: Mock, content: bytes, name: str) -> None:
    rivya.invalid_at(mock.upload(content, name=name), "/file")


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [
        (GIF, "image/gif"),
        (PNG[:8] + b"\x00" * 29 + b"acTL", "image/apng"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"\x00\x00\x00\x18ftypavif", "image/avif"),
    ],
)
def test_a_refusal_names_the_type_of_a_common_image(
    mock: Mock, content: bytes, mime_type: str
) -> None:
    assert f"its bytes are {mime_type}; must be".encode() in mock.upload(content).body


def test_other_bytes_are_refused_under_every_declared_type(mock: Mock) -> None:
    lie = part("file", TEXT, filename="a.png", extra=b"Content-Type: image/png\r\n")
    rivya.invalid_at(send_form(mock, KIND + lie + END), "/file")


@pytest.mark.parametrize("name", ["a.txt", "a.jpg", "a", "a.png.exe"])
def test_right_bytes_are_accepted_under_every_name(mock: Mock, name: str) -> None:
    assert mock.upload(PNG, name=name).json()["mime_type"] == "image/png"


@pytest.mark.parametrize("declared", [b"text/plain", b"image/gif", b"", b"nonsense"])
def test_right_bytes_are_accepted_under_every_declared_type(mock: Mock, declared: bytes) -> None:
    honest = part("file", PNG, filename="a.png", extra=b"Content-Type: " + declared + b"\r\n")
    assert send_form(mock, KIND + honest + END).json()["mime_type"] == "image/png"


def test_an_empty_file_is_refused(mock: Mock) -> None:
    rivya.invalid_at(mock.upload(b""), "/file")


MIB = 1024 * 1024

# --- timed media -------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.25, 1, 2.5])
def test_the_length_of_sound_is_measured(mock: Mock, seconds: float) -> None:
    uploaded = mock.upload(wav(seconds), kind="audio").json()
    assert uploaded["duration_seconds"] == pytest.approx(seconds)


@pytest.mark.parametrize(("kind", "content"), [("video", MP4), ("audio", MP3), ("audio", OGG)])
def test_an_unknown_length_is_null(mock: Mock, kind: str, content: bytes) -> None:
    assert mock.upload(content, kind=kind).json()["duration_seconds"] is None


class CountedReads(io.BytesIO):
    """A file that counts how often it is read."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        return super().read(size)


@pytest.mark.parametrize("start", [b"ID3", b"\xff\xfb", b"\xff\xf1", OGG, MP4, wav(0)])
def test_the_length_of_a_file_without_frames_is_not_looked_for_in_all_of_it(start: bytes) -> None:
    file = CountedReads(start.ljust(10 * MIB, b"\x00"))
    assert duration_s(file) is None
    assert file.reads <= 100_000


@pytest.mark.parametrize(("kind", "content"), [("video", MP4), ("audio", wav(1))])
def test_timed_media_carry_a_token_of_their_own(mock: Mock, kind: str, content: bytes) -> None:
    tokens = [mock.upload(content, kind=kind).json()["duration_token"] for _ in range(2)]
    assert all(isinstance(token, str) and token for token in tokens)
    assert tokens[0] != tokens[1]


def test_the_token_stays_the_same(mock: Mock) -> None:
    uploaded = mock.upload(wav(1), kind="audio").json()
    again = mock.rivya("GET", f"/files/{uploaded['id']}").json()
    assert again["duration_token"] == uploaded["duration_token"]


# --- sizes -------------------------------------------------------------------------------------


def of_size(start: bytes, size_bytes: int) -> bytes:
    return start + b"\x00" * (size_bytes - len(start))


@pytest.mark.parametrize(
    ("kind", "start", "limit_bytes"),
    [("image", PNG, 10 * MIB), ("audio", MP3, 10 * MIB), ("video", MP4, 50 * MIB)],
)
def test_each_kind_has_its_largest_size(
    mock: Mock, kind: str, start: bytes, limit_bytes: int
) -> None:
    assert mock.upload(of_size(start, limit_bytes), kind=kind).status == 200
    rivya.invalid_at(mock.upload(of_size(start, limit_bytes + 1), kind=kind), "/file")


@pytest.mark.parametrize("model", ["hailuo-pro", "hailuo-standard"])
def test_an_image_for_a_hailuo_model_has_at_most_10_mb(mock: Mock, model: str) -> None:
    assert mock.upload(of_size(PNG, 10 * MIB), model=model).status == 200
    rivya.invalid_at(mock.upload(of_size(PNG, 10 * MIB + 1), model=model), "/file")


def test_a_form_over_the_limit_of_uploads_is_refused(make_mock: MakeMock) -> None:
    body = KIND + FILE + END
    mock = make_mock(limits__upload_bytes=len(body))
    assert send_form(mock, body).status == 200
    rivya.invalid_at(send_form(mock, body + b"\r\n"), "body")


def test_the_json_limit_does_not_hold_for_uploads(make_mock: MakeMock) -> None:
    assert make_mock(limits__body_bytes=10).upload().status == 200


def test_an_upload_over_the_storage_limit_is_refused(make_mock: MakeMock) -> None:
    mock = make_mock(limits__stored_upload_bytes=2 * len(PNG))
    assert [mock.upload().status for _ in range(2)] == [200, 200]
    before = rivya.state(mock)
    rivya.invalid_at(mock.upload(), "/file")
    assert rivya.state(mock) == before


def test_an_upload_over_the_storage_limit_is_not_written(make_mock: MakeMock) -> None:
    mock = make_mock(limits__stored_upload_bytes=len(PNG))
    mock.upload()
    folder = mock.fake.blobs.path("x").parent
    kept = sorted(folder.iterdir())
    mock.upload(PNG[:-1] + b"x")
    assert sorted(folder.iterdir()) == kept


def test_racing_uploads_are_kept_up_to_the_storage_limit(make_mock: MakeMock) -> None:
    mock = make_mock(limits__stored_upload_bytes=2 * len(PNG))
    sent = rivya.UPLOAD_HEADERS | {"authorization": f"Bearer {KEY}"}

    async def story() -> list[Answer]:
        send = mock.driver.exchange
        return await asyncio.gather(
            *[
                send("POST", "/api/v1/files", headers=sent, chunks=[KIND, FILE, END])
                for _ in range(5)
            ]
        )

    answers = mock.driver.loop.run_until_complete(story())
    assert sorted(answer.status for answer in answers) == [200, 200, 400, 400, 400]


def test_refused_uploads_use_no_storage(make_mock: MakeMock) -> None:
    mock = make_mock(limits__stored_upload_bytes=len(PNG))
    for _ in range(3):
        mock.upload(PNG, kind="video")
    assert mock.upload().status == 200


# --- form fields -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (END, {"/file", "/kind"}),
        (KIND + END, {"/file"}),
        (FILE + END, {"/kind"}),
        (KIND + part("File", PNG, filename="a.png") + END, {"/file"}),
        (KIND + part("files", PNG, filename="a.png") + END, {"/file"}),
    ],
)
def test_file_and_kind_are_required(mock: Mock, body: bytes, place: set[str]) -> None:
    rivya.invalid_at(send_form(mock, body), *place)


@pytest.mark.parametrize("kind", ["", "text", "Image", "image ", "images", "image/png", "null"])
def test_a_kind_is_one_of_three(mock: Mock, kind: str) -> None:
    rivya.invalid_at(mock.upload(kind=kind), "/kind")


def test_a_misspelled_kind_is_refused_with_a_near_one(mock: Mock) -> None:
    assert "'image'?" in rivya.invalid_at(mock.upload(kind="imgae"), "/kind")


@pytest.mark.parametrize(
    ("twice", "place"),
    [
        (FILE, "/file"),
        (KIND, "/kind"),
        (part("kind", b"video"), "/kind"),
        (part("file", b"text"), "/file"),
    ],
)
def test_a_field_that_comes_twice_is_refused(mock: Mock, twice: bytes, place: str) -> None:
    rivya.invalid_at(send_form(mock, KIND + FILE + twice + END), place)


@pytest.mark.parametrize(("name", "place"), [("a/b", "/a~1b"), ("a~b", "/a~0b")])
def test_the_place_of_an_odd_field_is_a_json_pointer(mock: Mock, name: str, place: str) -> None:
    odd = part(name, b"1")
    rivya.invalid_at(send_form(mock, KIND + FILE + odd + odd + END), place)


def test_the_file_may_not_be_a_text_field(mock: Mock) -> None:
    rivya.invalid_at(send_form(mock, KIND + part("file", PNG) + END), "/file")


@pytest.mark.parametrize("field", ["kind", "model"])
def test_a_text_field_may_not_be_a_file(mock: Mock, field: str) -> None:
    body = part(field, b"image", filename="a.txt") + FILE
    body += KIND if field != "kind" else b""
    rivya.invalid_at(send_form(mock, body + END), f"/{field}")


@pytest.mark.parametrize(("length", "fits"), [(0, True), (128, True), (129, False)])
def test_a_client_request_id_has_at_most_128_characters(
    mock: Mock, length: int, fits: bool
) -> None:
    answer = mock.upload(client_request_id="é" * length)
    if fits:
        assert answer.status == 200
        assert "client_request_id" not in answer.json()
    else:
        rivya.invalid_at(answer, "/client_request_id")


def test_an_unknown_field_is_ignored(mock: Mock) -> None:
    assert mock.upload(folder="holiday").status == 200


def test_the_order_of_the_fields_does_not_matter(mock: Mock) -> None:
    assert send_form(mock, FILE + KIND + END).status == 200


# --- model rules -------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["hailuo-pro", "hailuo-standard"])
@pytest.mark.parametrize(("kind", "content", "_mime_type"), TAKEN)
def test_a_hailuo_model_takes_images_only(
    mock: Mock, model: str, kind: str, content: bytes, _mime_type: str
) -> None:
    answer = mock.upload(content, kind=kind, model=model)
    if kind == "image":
        assert answer.status == 200
    else:
        rivya.invalid_at(answer, "/kind")


@pytest.mark.parametrize("model", ["", "hailuo", "Hailuo-Pro", "minimax-i2v", "x"])
def test_an_unknown_model_is_refused(mock: Mock, model: str) -> None:
    rivya.invalid_at(mock.upload(model=model), "/model")


def test_a_misspelled_model_is_refused_with_a_near_one(mock: Mock) -> None:
    assert "'hailuo-pro'?" in rivya.invalid_at(mock.upload(model="hailuo-por"), "/model")


@pytest.mark.parametrize("model", ["hailuo-next", "studio-sketch"])
def test_a_model_that_takes_no_references_refuses_uploads(mock: Mock, model: str) -> None:
    rivya.invalid_at(mock.upload(model=model), "/model")


# --- names -------------------------------------------------------------------------------------

GOOD_NAMES = [
    "a.png",
    "a",
    ".png",
    "a b.png",
    "...",
    "a..png",
    "100%.png",
    "%2e%2e%2f.png",
    "a?b#c&d.png",
    "a+b.png",
    "a;b,c.png",
    "strand-été.png",
    "دیو.png",
    "海.png",
    "🌊.png",
    "x" * 251 + ".png",
    "海" * 83 + ".png",
    "🌊" * 62 + ".png",
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_name_is_kept_and_served_under_its_url(mock: Mock, name: str) -> None:
    uploaded = mock.upload(name=name).json()
    assert uploaded["name"] == name
    assert urlsplit(uploaded["url"]).query == ""
    assert fetch(mock, uploaded["url"]).body == PNG


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_the_url_of_every_upload_is_accepted_as_a_reference(mock: Mock, name: str) -> None:
    item = rivya.reference(url=mock.upload(name=name).json()["url"])
    assert mock.rivya("POST", "/generations", rivya.with_references(item)).status == 200


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "/etc/passwd",
        "../a.png",
        "a/../../b.png",
        "/",
        "..\\a.png",
        "a\\b.png",
        "a\x00.png",
        "a\x1b[2J.png",
        "a\u202egnp.exe",
        "a\u2028.png",
        "x" * 256,
        "海" * 84 + ".png",
        "🌊" * 63 + ".png",
    ],
)
def test_a_file_name_with_a_path_is_refused(mock: Mock, name: str) -> None:
    rivya.invalid_at(mock.upload(name=name.replace("\\", "\\\\")), "/file")


def test_no_file_name_leads_out_of_the_store(mock: Mock) -> None:
    mock.upload(PNG, name="%2e%2e%2f%2e%2e%2fa.png")
    folder = mock.fake.blobs.path("x").parent
    assert [path.parent for path in folder.rglob("*")] == [folder]


# --- bodies that are no form -------------------------------------------------------------------

WHOLE = KIND + FILE + END


@pytest.mark.parametrize("whole", [WHOLE, KIND + FILE + part("x", b"more") + END])
def test_a_form_cut_short_anywhere_is_refused(mock: Mock, whole: bytes) -> None:
    before = rivya.state(mock)
    for length in range(len(whole) - len(b"\r\n")):
        rivya.refusal(send_form(mock, whole[:length]), "validation_failed")
    assert rivya.state(mock) == before


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data; boundary=frontier", 'multipart/form-data; boundary="frontier"',
     "Multipart/Form-Data; Boundary=frontier",
     "multipart/form-data; charset=utf-8; boundary=frontier"],
)  # fmt: skip
def test_every_usual_content_type_of_a_form_is_accepted(mock: Mock, content_type: str) -> None:
    assert send_form(mock, WHOLE, content_type=content_type).status == 200


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "application/x-www-form-urlencoded", "application/octet-stream",
     "image/png", "multipart/mixed; boundary=frontier", "multipart/form-data-2; boundary=frontier"],
)  # fmt: skip
def test_another_content_type_is_refused(mock: Mock, content_type: str) -> None:
    rivya.invalid_at(send_form(mock, WHOLE, content_type=content_type), "header Content-Type")


def test_a_missing_content_type_is_refused(mock: Mock) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    answer = mock.request("POST", "/api/v1/files", headers=headers, body=WHOLE)
    rivya.invalid_at(answer, "header Content-Type")


@pytest.mark.parametrize(
    "parameter",
    ["", "; boundary", "; boundary=", '; boundary=""', "; boundary=elsewhere",
     "; boundary=frontier2", "; boundary=\xe4"],
)  # fmt: skip
def test_a_missing_or_wrong_boundary_is_refused(mock: Mock, parameter: str) -> None:
    answer = send_form(mock, WHOLE, content_type=f"multipart/form-data{parameter}")
    rivya.refusal(answer, "validation_failed")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        PNG,
        json.dumps({"kind": "image"}).encode(),
        b"kind=image",
        WHOLE.replace(b"\r\n", b"\n"),
        WHOLE.replace(b"Content-Disposition", b"Content-Position"),
        WHOLE.replace(b' name="kind";', b"").replace(b'; name="file"', b""),
        part("kind", b"image", extra=b"no colon here\r\n") + FILE + END,
        KIND + b"".join(part(f"f{number}", b"1") for number in range(40)) + FILE + END,
        KIND + b"".join(part(f"f{n}", PNG, filename="a.png") for n in range(12)) + FILE + END,
        part("kind", b"i" * 2 * MIB) + FILE + END,
    ],
)
def test_a_body_that_is_no_form_is_refused(mock: Mock, body: bytes) -> None:
    before = rivya.state(mock)
    rivya.refusal(send_form(mock, body), "validation_failed")
    assert rivya.state(mock) == before


@pytest.mark.parametrize(
    "body",
    [
        KIND + FILE,
        KIND + FILE[:-20],
        KIND + FILE + FILE + END,
        KIND + FILE + part("kind", b"image") + END,
        KIND + FILE + part("x", b"1", extra=b"no colon here\r\n") + END,
        KIND + part("file", TEXT, filename="a.png") + END,
    ],
)
def test_a_refused_form_leaves_no_temporary_file_open(mock: Mock, body: bytes) -> None:
    rivya.refusal(send_form(mock, body), "validation_failed")
    gc.collect()  # an open file would be told of here, and a warning is an error in these tests


def test_a_file_may_contain_text_like_a_boundary(mock: Mock) -> None:
    content = PNG + b"\r\n--frontie\r\n--other--\r\n"
    uploaded = mock.upload(content).json()
    assert fetch(mock, uploaded["url"]).body == content


def test_any_bytes_in_a_form_are_taken_or_refused_and_never_break_the_server(mock: Mock) -> None:
    @given(st.integers(0, len(WHOLE)), st.binary(max_size=6), st.integers(0, 6))
    def holds(place: int, piece: bytes, dropped: int) -> None:
        answer = send_form(mock, WHOLE[:place] + piece + WHOLE[place + dropped :])
        assert answer.status in {200, 400}

    holds()


@pytest.mark.parametrize(
    ("kind", "start"), [("video", MP4), ("audio", MP3), ("audio", OGG), ("audio", wav(0)[:20])]
)
def test_any_bytes_after_a_signature_are_taken_or_refused(
    mock: Mock, kind: str, start: bytes
) -> None:
    @given(st.binary(max_size=200))
    def holds(rest: bytes) -> None:
        assert mock.upload(start + rest, kind=kind).status in {200, 400}

    holds()


# --- what uploads take -------------------------------------------------------------------------


def folder_of(mock: Mock) -> Path:
    return mock.fake.blobs.path("x").parent


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/_mock/worlds/world-1/reset"), ("DELETE", "/_mock/worlds/world-1")],
)
def test_the_bytes_of_an_upload_go_with_its_world(mock: Mock, method: str, path: str) -> None:
    mock.request("POST", "/_mock/worlds")
    mock.upload(PNG + b"stays")
    mock.upload(PNG + b"in both")
    for content in (b"goes", b"in both"):
        mock.upload(PNG + content, key=f"{KEY}-world-1")
    assert len(list(folder_of(mock).iterdir())) == 3
    assert mock.request(method, path).status == 200
    kept = {sha256(PNG + content).hexdigest() for content in (b"stays", b"in both")}
    assert {file.name for file in folder_of(mock).iterdir()} == kept


def test_restoring_a_snapshot_restores_the_bytes_of_uploads(mock: Mock) -> None:
    door = "/_mock/worlds/default/snapshot"
    mock.upload(PNG + b"first")
    snapshot = mock.request("GET", door).body
    mock.request("POST", "/_mock/worlds/default/reset")
    mock.upload(PNG + b"second")
    json_headers = {"content-type": "application/json"}
    assert mock.request("PUT", door, headers=json_headers, body=snapshot).status == 200
    (kept,) = folder_of(mock).iterdir()
    assert kept.read_bytes() == PNG + b"first"


def test_the_limit_holds_for_all_worlds_together(make_mock: MakeMock) -> None:
    mock = make_mock(limits__stored_upload_bytes=2 * len(PNG))
    mock.request("POST", "/_mock/worlds")
    other = f"{KEY}-world-1"
    contents = [PNG[:-1] + bytes([number]) for number in range(3)]
    assert mock.upload(contents[0]).status == 200
    assert mock.upload(contents[1], key=other).status == 200
    before = sorted(folder_of(mock).iterdir())
    rivya.invalid_at(mock.upload(contents[2], key=other), "/file")
    assert sorted(folder_of(mock).iterdir()) == before


def test_an_upload_whose_bytes_are_gone_is_not_found_and_no_error(mock: Mock) -> None:
    url = mock.upload().json()["url"]
    shutil.rmtree(folder_of(mock))
    assert fetch(mock, url).status == 404
    assert mock.request("GET", "/_mock/worlds/default/snapshot").status == 409
    assert mock.upload().status == 200
    assert fetch(mock, url).status == 200


def test_a_long_upload_makes_the_temporary_folder_anew(
    mock: Mock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    content = PNG + bytes(3 * 1024 * 1024)
    body = form({"kind": "image"}, {"file": ("a.png", content)})
    sent = rivya.UPLOAD_HEADERS | {"authorization": f"Bearer {KEY}"}
    answer = mock.driver.request("POST", "/api/v1/files", headers=sent, chunks=[body])
    assert answer.status == 200
    assert fetch(mock, answer.json()["url"]).body == content


def test_a_long_upload_is_stored_as_it_came_in_pieces(mock: Mock) -> None:
    content = PNG + random.Random(1).randbytes(3 * 1024 * 1024)
    body = form({"kind": "image"}, {"file": ("a.png", content)})
    pieces = [body[start : start + 70_001] for start in range(0, len(body), 70_001)]
    sent = rivya.UPLOAD_HEADERS | {"authorization": f"Bearer {KEY}"}
    answer = mock.driver.request("POST", "/api/v1/files", headers=sent, chunks=pieces)
    assert answer.status == 200
    assert fetch(mock, answer.json()["url"]).body == content
    exchange = mock.world.journal.newest(2)[0]
    assert exchange.request_size_bytes == len(body)
    assert exchange.request_body == body[: 64 * 1024]
