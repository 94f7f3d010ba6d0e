"""Uploads are served back byte for byte, belong to an account, and serve as references."""

from __future__ import annotations

import pytest

from mock_server.core.uploads import StoredFile
from tests import rivya
from tests.apis.rivya.uploads import TAKEN, fetch
from tests.asgi import Answer
from tests.mock import KEY, PNG, MakeMock, Mock

# --- whose it is -------------------------------------------------------------------------------


def test_a_file_of_another_account_is_unknown(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("a", test={}), rivya.account("b", b={})])
    file_id = mock.upload().json()["id"]
    foreign = rivya.refusal(mock.rivya("GET", f"/files/{file_id}", key="rvya_sk_b"), "not_found")
    unknown = rivya.refusal(mock.rivya("GET", "/files/file_x", key="rvya_sk_b"), "not_found")
    assert foreign == unknown


def test_a_file_belongs_to_the_account_and_not_to_the_key(make_mock: MakeMock) -> None:
    mock = make_mock(accounts=[rivya.account("a", test={}, second={})])
    file_id = mock.upload().json()["id"]
    assert mock.rivya("GET", f"/files/{file_id}", key="rvya_sk_second").status == 200


@pytest.mark.parametrize("file_id", ["x", "file_", "..", "file_" + "0" * 3000, "ü"])
def test_a_malformed_file_id_is_not_found(mock: Mock, file_id: str) -> None:
    rivya.refusal(mock.rivya("GET", f"/files/{file_id}"), "not_found")


# --- as references -----------------------------------------------------------------------------


def create_from(mock: Mock, url: str, *, key: str = KEY) -> Answer:
    body = rivya.with_references(rivya.reference(url=url))
    return mock.rivya("POST", "/generations", body, key=key)


@pytest.fixture
def own_only(make_mock: MakeMock) -> Mock:
    """A mock that accepts only references to the account's own uploads."""
    return make_mock(
        rivya__references="own", accounts=[rivya.account("a", test={}), rivya.account("b", b={})]
    )


def test_by_default_a_reference_need_not_be_an_upload(mock: Mock) -> None:
    assert create_from(mock, "https://cdn.example.com/a.png").status == 200


def test_an_own_upload_is_accepted(own_only: Mock) -> None:
    assert create_from(own_only, own_only.upload().json()["url"]).status == 200


FIRST_URL = "/params/referenceMediaItems/0/url"


def test_another_address_is_refused_if_only_own_uploads_count(own_only: Mock) -> None:
    rivya.invalid_at(create_from(own_only, "https://cdn.example.com/a.png"), FIRST_URL)


def test_an_upload_of_another_account_is_refused_if_only_own_uploads_count(own_only: Mock) -> None:
    url = own_only.upload(key="rvya_sk_b").json()["url"]
    rivya.invalid_at(create_from(own_only, url), FIRST_URL)
    assert create_from(own_only, url, key="rvya_sk_b").status == 200


@pytest.mark.parametrize(
    ("found", "put"),
    [
        ("/a.png", "/b.png"),
        ("/default/", "/elsewhere/"),
        ("/file_", "/file_0"),
        ("/a.png", "/a.png?x=1"),
    ],
)
def test_a_changed_address_is_refused_if_only_own_uploads_count(
    own_only: Mock, found: str, put: str
) -> None:
    url = own_only.upload().json()["url"].replace("http://", "https://").replace(found, put)
    rivya.invalid_at(create_from(own_only, url), FIRST_URL)


def test_the_second_reference_is_checked_too_if_only_own_uploads_count(
    own_only: Mock,
) -> None:
    good = rivya.reference(url=own_only.upload().json()["url"])
    bad = rivya.reference(url="https://cdn.example.com/a.png")
    answer = own_only.rivya("POST", "/generations", rivya.with_references(good, bad))
    rivya.invalid_at(answer, "/params/referenceMediaItems/1/url")


# --- served back -------------------------------------------------------------------------------

CONTENT = PNG + bytes(range(256)) * 8


@pytest.fixture
def url(mock: Mock) -> str:
    """Where `CONTENT` was uploaded to."""
    uploaded: str = mock.upload(CONTENT).json()["url"]
    return uploaded


@pytest.mark.parametrize(("kind", "content", "mime_type"), TAKEN)
def test_an_upload_is_served_back_with_its_type(
    mock: Mock, kind: str, content: bytes, mime_type: str
) -> None:
    answer = fetch(mock, mock.upload(content, kind=kind).json()["url"])
    assert (answer.status, answer.body) == (200, content)
    assert answer.headers["content-type"] == mime_type
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox"


def test_the_address_of_an_upload_needs_no_key(mock: Mock, url: str) -> None:
    assert fetch(mock, url).status == 200


def test_head_returns_the_headers_without_the_bytes(mock: Mock, url: str) -> None:
    whole, head = fetch(mock, url), fetch(mock, url, "HEAD")
    assert (head.status, head.body) == (200, b"")
    for name in ("content-type", "content-length", "etag", "last-modified", "accept-ranges"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=8-99", 8, 99),
        ("bytes=100-", 100, len(CONTENT) - 1),
        ("bytes=-5", len(CONTENT) - 5, len(CONTENT) - 1),
        ("bytes=0-999999", 0, len(CONTENT) - 1),
    ],
)
def test_a_range_is_served(mock: Mock, url: str, wanted: str, start: int, end: int) -> None:
    answer = fetch(mock, url, range=wanted)
    assert (answer.status, answer.body) == (206, CONTENT[start : end + 1])
    assert answer.headers["content-range"] == f"bytes {start}-{end}/{len(CONTENT)}"


def test_several_ranges_are_served_in_one_answer(mock: Mock, url: str) -> None:
    answer = fetch(mock, url, range="bytes=0-3,10-13")
    assert answer.status == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges")
    assert CONTENT[0:4] in answer.body
    assert CONTENT[10:14] in answer.body


def test_a_range_beyond_the_end_cannot_be_served(mock: Mock, url: str) -> None:
    answer = fetch(mock, url, range=f"bytes={len(CONTENT)}-")
    assert answer.status == 416
    assert answer.headers["content-range"].endswith(f"*/{len(CONTENT)}")


def test_a_range_of_a_file_that_has_changed_is_the_whole(mock: Mock, url: str) -> None:
    answer = fetch(mock, url, range="bytes=0-3", if_range='"other"')
    assert (answer.status, answer.body) == (200, CONTENT)


def test_a_range_of_the_file_that_is_known_is_served(mock: Mock, url: str) -> None:
    etag = fetch(mock, url).headers["etag"]
    assert fetch(mock, url, range="bytes=0-3", if_range=etag).body == CONTENT[:4]


@pytest.mark.parametrize("form_of_tag", ["{}", "W/{}", '"a", {}', '{}, W/"b"', "*"])
def test_a_client_with_the_current_file_is_answered_304(
    mock: Mock, url: str, form_of_tag: str
) -> None:
    etag = fetch(mock, url).headers["etag"]
    answer = fetch(mock, url, if_none_match=form_of_tag.format(etag))
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["etag"] == etag


@pytest.mark.parametrize("tag", ['"other"', "", "nonsense"])
def test_a_client_with_another_file_gets_this_one(mock: Mock, url: str, tag: str) -> None:
    assert fetch(mock, url, if_none_match=tag).body == CONTENT


def test_equal_bytes_have_equal_etags_and_others_have_others(mock: Mock) -> None:
    tags = [
        fetch(mock, mock.upload(content).json()["url"]).headers["etag"]
        for content in (PNG, PNG, PNG + b"x")
    ]
    assert tags[0] == tags[1] != tags[2]


def test_last_modified_is_the_moment_of_the_upload(mock: Mock, url: str) -> None:
    assert fetch(mock, url).headers["last-modified"] == "Mon, 11 May 2026 00:00:00 GMT"


@pytest.mark.parametrize(
    ("found", "put"),
    [
        ("/default/", "/elsewhere/"),
        ("/file_", "/file_0"),
        ("/a.png", "/b.png"),
        ("/a.png", "/"),
        ("/a.png", ""),
        ("/a.png", "/../a.png"),
    ],
)
def test_nothing_is_served_at_any_other_address(mock: Mock, url: str, found: str, put: str) -> None:
    assert fetch(mock, url.replace(found, put)).status == 404


def test_nothing_is_served_before_an_upload(mock: Mock) -> None:
    assert fetch(mock, "http://mock.test/media/default/files/file_1/a.png").status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_file_can_only_be_read(mock: Mock, url: str, method: str) -> None:
    answer = fetch(mock, url, method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET")


def test_no_upload_is_left_on_the_disk_when_the_server_ends() -> None:
    mock = Mock()
    mock.upload()
    folder = mock.fake.blobs.path("x").parent
    assert folder.exists()
    mock.close()
    assert not folder.exists()


def test_the_store_keeps_equal_bytes_once(mock: Mock) -> None:
    files: list[StoredFile | None] = [
        mock.world.uploads.get(mock.upload(name=name).json()["id"]) for name in ("a", "b")
    ]
    assert len({file and file.content for file in files}) == 1
    assert len(list(mock.fake.blobs.path("x").parent.iterdir())) == 1
