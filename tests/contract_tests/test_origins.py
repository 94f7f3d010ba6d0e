"""Requests of the suite go to the servers under test, and to no other scheme, host or port."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from contract_tests.origins import Base, NotABaseUrl, OtherOrigin, WayOut, session_through
from contract_tests.target import is_production
from tests.contract_tests.adversary import Adversary, target_of


@pytest.mark.parametrize(
    ("text", "url", "path"),
    [
        ("http://127.0.0.1:4010/", "http://127.0.0.1:4010", ""),
        ("HTTP://Shop.test/gw/", "http://shop.test/gw", "/gw"),
        ("https://shop.test/a/../b/%67w", "https://shop.test/b/gw", "/b/gw"),
        ("http://[::1]:4010/gw", "http://[::1]:4010/gw", "/gw"),
        ("http://my_service:80/@scope", "http://my_service:80/@scope", "/@scope"),
        ("https://rivya%2eai", "https://rivya.ai", ""),
    ],
)
def test_a_base_url_is_spelled_as_requests_spell_it(text: str, url: str, path: str) -> None:
    assert (Base.of(text).url, Base.of(text).path) == (url, path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("127.0.0.1:9", "must begin with http"),
        ("ute:secret@shop.test", "must begin with http"),
        ("ftp://ute:secret@shop.test", "must begin with http"),
        ("http://ute:secret@shop.test", "no user name and no password"),
        ("http://secret@shop.test/gw", "no user name and no password"),
        ("http://@shop.test", "no user name and no password"),
        ("http://ute:secret%40shop.test/", "must be a URL"),
        ("http://rivya.ai\\@127.0.0.1/secret", "must be a URL|no user name"),
        ("http://shop.test/?key=secret", "no query"),
        ("http://shop.test/?", "no query"),
        ("http://shop.test/#secret", "no fragment"),
        ("http://[::1", "must be a URL"),
        ("http://h:99999", "must be a URL"),
        ("http://h:0", "must be a URL"),
        ("http://", "must be a URL"),
        ("http://a b/", "must be a URL"),
        ("http://h\t/", "must be a URL"),
        ("http://a%252eb/", "must be a URL"),
        ("http://\uff52ivya.ai", "must be a URL"),
    ],
)
def test_what_is_no_base_url_is_refused_without_being_shown(text: str, words: str) -> None:
    with pytest.raises(NotABaseUrl, match=words) as refused:
        Base.of(text)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "is_vendor"),
    [
        ("https://rivya.ai", True),
        ("https://RIVYA.ai.", True),
        ("https://rivya%2eai", True),
        ("http://www.rivya.ai:8080/gw", True),
        ("https://api.acedata.cloud", True),
        ("https://rivya.ai.test", False),
        ("https://notrivya.ai", False),
    ],
)
def test_a_vendor_is_recognized_in_every_spelling(url: str, is_vendor: bool) -> None:
    assert is_production(Base.of(url).url) is is_vendor


@pytest.mark.parametrize(
    ("url", "is_covered"),
    [
        ("http://shop.test/gw/api/v1/credits", True),
        ("http://SHOP.test:80/other", True),
        ("http://shop.test:81/gw", False),
        ("https://shop.test/gw", False),
        ("http://shop.test./gw", False),
        ("http://shop%2etest/gw", False),
        ("http://ute:pw@shop.test/gw", False),
        ("http://shop.test@other.test/gw", False),
        ("http://other.test#@shop.test/gw", False),
        ("http://other.test/\\@shop.test", False),
        ("//shop.test/gw", False),
        ("http://[", False),
        ("http://shop.test:x/", False),
        ("", False),
    ],
)
def test_only_urls_of_the_base_s_origin_are_covered(url: str, is_covered: bool) -> None:
    assert Base.of("http://shop.test/gw").covers(url) is is_covered


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://shop.test/gw/api/v1/credits?a=1", "/api/v1/credits"),
        ("http://shop.test/gw", "/gw"),
        ("http://shop.test/gwx/api", "/gwx/api"),
        ("http://shop.test/api/v1/credits", "/api/v1/credits"),
    ],
)
def test_the_path_of_the_base_is_taken_away_before_paths_are_compared(url: str, path: str) -> None:
    assert Base.of("http://shop.test/gw").path_of(url) == path


def test_of_two_servers_at_one_origin_the_one_with_the_longest_path_is_meant() -> None:
    way_out = WayOut("http://shop.test", "http://shop.test/w/a", "http://shop.test/w")
    for url, path in (("/w/a/x", "/w/a"), ("/w/b/x", "/w"), ("/media/x", ""), ("/w", "")):
        assert way_out.base_of(f"http://shop.test{url}").path == path


class _Redirecting(Adversary):
    """Redirects every request."""

    location = ""

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        self.charged += 1
        answer = self.answer(request, 307, b"")
        answer.headers["location"] = self.location
        return answer


@pytest.mark.parametrize("location", ["http://other.test/", "//other.test/x", "https://shop.test/"])
def test_a_redirect_to_another_origin_is_not_followed(location: str) -> None:
    server = _Redirecting(1, "http://shop.test")
    server.location = location
    session = session_through(WayOut("http://shop.test", inner=server))
    with pytest.raises(OtherOrigin, match="another host"):
        session.post("http://shop.test/x", headers={"authorization": "Bearer key"})
    assert server.charged == 1


def test_a_file_on_another_host_is_not_downloaded() -> None:
    server = Adversary(1, "http://shop.test/gw")
    target = target_of(server, 0)
    for url in ("http://cdn.test/a.mp4", "file:///etc/passwd", "http://[", "", "a.mp4"):
        assert target.download(url) is None
    found = target.download("http://shop.test/media/a.mp4")
    assert found is None or "authorization" not in found.sent_headers
    assert not server.strangers
