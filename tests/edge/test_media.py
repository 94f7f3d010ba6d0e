"""Result videos over HTTP: they play, in the requested length and size."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import av
import pytest

from tests.asgi import Answer
from tests.mock import VIDEO, Mock

HAILUO: dict[str, tuple[dict[str, Any], tuple[int, int, int]]] = {
    "pro": ({"model": "hailuo-pro"}, (1920, 1080, 6)),
    "standard": ({"model": "hailuo-standard"}, (910, 512, 6)),
    "standard 10 s": ({"model": "hailuo-standard", "params": {"duration": "10"}}, (910, 512, 10)),
    "standard 768P": (
        {"model": "hailuo-standard", "params": {"resolution": "768P"}},
        (1366, 768, 6),
    ),
    "standard 10 s 768P": (
        {"model": "hailuo-standard", "params": {"resolution": "768P", "duration": "10"}},
        (1366, 768, 10),
    ),
}


def path_of(url: str) -> str:
    return url.partition("mock.test")[2]


def rivya_video(mock: Mock, **fields: Any) -> str:
    """Where the video of a new generation is."""
    task_id = mock.create(**fields).json()["id"]
    mock.advance(1)
    return path_of(mock.generation(task_id)["result"]["primary_url"])


def measure(answer: Answer) -> tuple[int, int, float]:
    """Width, height and seconds, as a tool that is not ours reads them."""
    with av.open(BytesIO(answer.body)) as container:
        stream = container.streams.video[0]
        assert stream.duration is not None
        assert stream.time_base is not None
        return stream.width, stream.height, float(stream.duration * stream.time_base)


@pytest.mark.parametrize("name", HAILUO)
def test_a_rivya_video_matches_its_model_and_params(mock: Mock, name: str) -> None:
    fields, (width, height, duration_s) = HAILUO[name]
    answer = mock.request("GET", rivya_video(mock, **fields))
    assert answer.headers["content-type"] == "video/mp4"
    measured = measure(answer)
    assert measured[:2] == (width, height)
    assert measured[2] == pytest.approx(duration_s, abs=0.05)


def test_lenient_params_lead_to_the_same_video(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(rivya__params="lenient")
    answer = mock.request(
        "GET", rivya_video(mock, model="hailuo-standard", params={"duration": 10})
    )
    assert measure(answer)[2] == pytest.approx(10, abs=0.05)


@pytest.mark.parametrize("model", ["minimax-t2v", "minimax-i2v", "minimax-i2v-director"])
def test_an_acedata_video_plays(mock: Mock, model: str) -> None:
    body = VIDEO | {"model": model, "async": True, "first_image_url": "https://img.test/a.png"}
    task_id = mock.acedata("/videos", body).json()["task_id"]
    mock.advance(1)
    task = mock.acedata("/tasks", {"id": task_id}).json()
    answer = mock.request("GET", path_of(task["response"]["data"][0]["video_url"]))
    assert measure(answer) == pytest.approx((1280, 720, 6), abs=0.05)


def test_no_video_is_served_before_the_task_has_succeeded(mock: Mock) -> None:
    task_id = mock.create().json()["id"]
    mock.advance(0.999)
    assert mock.request("GET", f"/media/default/{task_id}.mp4").status == 404
    mock.advance(0.001)
    assert mock.request("GET", f"/media/default/{task_id}.mp4").status == 200


def test_a_failed_task_has_no_video(make_mock: Callable[..., Mock]) -> None:
    mock = make_mock(tasks__failure_rate=1)
    task_id = mock.create().json()["id"]
    mock.advance(1)
    assert mock.request("GET", f"/media/default/{task_id}.mp4").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/media/default/task_none.mp4",
        "/media/other/task_none.mp4",
        "/media/default/../../pyproject.toml",
        "/media/default/..%2f..%2fpyproject.toml",
        "/media/default/files/file_none/a.png",
        "/media",
    ],
)
def test_other_paths_are_not_found(mock: Mock, path: str) -> None:
    answer = mock.request("GET", path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_range_of_a_video_is_served(mock: Mock) -> None:
    path = rivya_video(mock)
    whole = mock.request("GET", path)
    part = mock.request("GET", path, headers={"range": "bytes=100-199"})
    assert part.status == 206
    assert part.body == whole.body[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.body)}"
    tail = mock.request("GET", path, headers={"range": "bytes=-10"})
    assert tail.body == whole.body[-10:]
    beyond = mock.request("GET", path, headers={"range": "bytes=99999999-"})
    assert beyond.status == 416
    assert beyond.headers["content-range"] == f"bytes */{len(whole.body)}"


def test_head_returns_the_headers_of_get(mock: Mock) -> None:
    path = rivya_video(mock)
    head, get = (mock.request(method, path) for method in ("HEAD", "GET"))
    assert head.status == 200
    assert head.body == b""
    kept = ("content-length", "content-type", "etag", "last-modified", "accept-ranges")
    assert [head.headers[name] for name in kept] == [get.headers[name] for name in kept]


def test_a_client_with_the_current_video_is_answered_304(mock: Mock) -> None:
    path = rivya_video(mock)
    etag = mock.request("GET", path).headers["etag"]
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = mock.request("GET", path, headers={"if-none-match": known})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == etag
    assert mock.request("GET", path, headers={"if-none-match": '"other"'}).status == 200


def test_media_can_only_be_read(mock: Mock) -> None:
    answer = mock.request("DELETE", rivya_video(mock))
    assert (answer.status, answer.headers["allow"]) == (405, "GET")
