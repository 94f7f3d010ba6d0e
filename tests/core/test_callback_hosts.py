"""The hosts that may be called: every kind of name, and names that are refused."""

from __future__ import annotations

import re

import pytest

from mock_server.core.callback_hosts import CallbackHosts


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("app", "http://app:3000/hook"),
        ("APP", "http://app/"),
        ("app", "http://APP./"),
        ("my_service", "http://my_service:3000/"),
        ("host.docker.internal", "https://host.docker.internal/"),
        ("172.17.0.1", "http://172.17.0.1:8000/"),
        ("::1", "http://[::1]:3000/"),
        ("[::1]", "http://[::1]:3000/"),
        ("[::1]", "http://[0:0:0:0:0:0:0:1]/"),
        ("2001:DB8::1", "http://[2001:db8:0::1]/"),
        ("loopback", "http://127.0.0.1:1/"),
        ("Loopback", "http://localhost/"),
        ("*.example.com", "https://hooks.example.com/"),
        ("*.Example.com", "https://a.b.EXAMPLE.com/"),
        ("*", "http://10.0.0.1/"),
        ("b\xfccher.example", "http://b\xfccher.example/"),
    ],
)
def test_a_host_that_is_named_may_be_called(name: str, url: str) -> None:
    assert CallbackHosts(["other", name]).destination(url)
    assert CallbackHosts(["other"]).destination(url) is None
    assert CallbackHosts([]).destination(url) is None


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("app", "http://app.example/"),
        ("app", "http://myapp/"),
        ("app", "http://app@other/"),
        ("*.example.com", "https://example.com/"),
        ("*.example.com", "https://badexample.com/"),
        ("loopback", "http://loopback/"),
        ("loopback", "http://10.0.0.1/"),
        ("app", "http://[::1"),
        ("app", "no url"),
    ],
)
def test_any_other_host_may_not_be_called(name: str, url: str) -> None:
    assert CallbackHosts([name]).destination(url) is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("http://api:8000/hook", "is a URL: give the host alone, as in 'api'"),
        ("https://[::1]:8000/", "is a URL: give the host alone, as in '::1'"),
        ("http://", "is a URL: give the host alone"),
        ("api:8000", "give it without port, path and user name, as in 'api'"),
        ("[::1]:8000", "as in '::1'"),
        ("api/hook", "as in 'api'"),
        ("user@api", "as in 'api'"),
        ("10.0.0.0/8", "as in '10.0.0.0'"),
        ("a b", "is no host"),
        ("[app", "is no host"),
        ("a*", "a star stands alone, or as in *.example.com"),
        ("*.*.com", "a star stands alone, or as in *.example.com"),
        ("", "an empty name is no host"),
    ],
)
def test_a_name_that_is_no_host_is_refused_with_the_right_form(name: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        CallbackHosts(["app", name])
