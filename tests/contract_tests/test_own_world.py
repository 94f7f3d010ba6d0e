"""Only a server that serves a world with random keys is taken for the fake."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx2
import pytest

from contract_tests.contract import APIS, Api
from contract_tests.fakes import RunningFake
from contract_tests.origins import WayOut, session_through
from contract_tests.own_world import NotTheFake, OwnWorld, Unreachable
from contract_tests.receiver import HttpAnswer, ReceivedRequest
from tests.contract_tests.gateway import NOT_FOUND, Gateway
from tests.contract_tests.test_check import check_result

KEY = "rvya_sk_test"


@pytest.fixture(scope="module")
def fake() -> Iterator[str]:
    with RunningFake("default", seed=1, frozen=False) as running:
        yield running.url


def make(url: str, *apis: Api) -> OwnWorld:
    session = session_through(WayOut(url))
    return OwnWorld.make(url, apis or APIS, session, seed=1, frozen=True)


def worlds_of(fake: str) -> list[str]:
    return [world["name"] for world in httpx2.get(f"{fake}/_mock/worlds").json()["worlds"]]


@pytest.mark.parametrize("prefix", ["", "/gw/a"])
def test_the_fake_is_recognized_and_its_world_is_dropped(fake: str, prefix: str) -> None:
    with Gateway(fake, prefix) as gateway:
        world = make(gateway.url)
        other = make(gateway.url)
        assert worlds_of(fake) == ["default", world.name, other.name]
        assert not set(world.keys["rivya"].values()) & set(other.keys["rivya"].values())
        headers = {"authorization": f"Bearer {world.keys['rivya']['own']}"}
        assert httpx2.get(f"{world.url}/api/v1/credits", headers=headers).status_code == 200
        world.drop()
        other.drop()
    assert worlds_of(fake) == ["default"]


def test_a_tunnel_to_another_server_gets_one_read() -> None:
    with Gateway() as tunnel, pytest.raises(NotTheFake, match="version is 404"):
        make(tunnel.url)
    assert [(each.method, each.path) for each in tunnel.came] == [("GET", "/_mock/version")]


@pytest.mark.parametrize("path", ["/api/v1", "/hailuo"])
@pytest.mark.parametrize("status", [200, 401])
def test_a_gateway_that_sends_one_api_elsewhere_is_not_the_fake(
    fake: str, path: str, status: int
) -> None:
    def elsewhere(came: ReceivedRequest) -> HttpAnswer | None:
        return (status, {}, b"{}") if path in came.path else None

    with Gateway(fake, rule=elsewhere) as gateway, pytest.raises(NotTheFake, match="arrive|is 401"):
        make(gateway.url)
    assert worlds_of(fake) == ["default"]


@pytest.mark.parametrize("api", APIS)
def test_a_gateway_that_removes_the_key_is_not_the_fake(fake: str, api: Api) -> None:
    def remove(came: ReceivedRequest) -> None:
        came.headers.pop("authorization", None)

    with Gateway(fake, rule=remove) as gateway, pytest.raises(NotTheFake, match="did not arrive"):
        make(gateway.url, api)


def without_names(path: str) -> str:
    """A path without the parts that are new in each run."""
    return "/".join("*" if step.count("-") else step for step in path.split("/"))


def test_a_recording_of_the_fake_is_not_the_fake(fake: str) -> None:
    with Gateway(fake) as gateway:
        make(gateway.url).drop()
    recorded = {
        (came.method, without_names(came.path)): answer
        for came, answer in zip(gateway.came, gateway.answered, strict=True)
    }

    def replay(came: ReceivedRequest) -> HttpAnswer | None:
        return recorded.get((came.method, without_names(came.path)))

    with Gateway(rule=replay) as recording, pytest.raises(NotTheFake, match="did not arrive"):
        make(recording.url)


def test_a_redirect_to_the_fake_is_not_followed(fake: str) -> None:
    def redirect(came: ReceivedRequest) -> HttpAnswer:
        return 307, {"location": fake + came.path}, b""

    with Gateway(rule=redirect) as gateway, pytest.raises(NotTheFake, match="version is 307"):
        make(gateway.url)


def test_without_a_server_nothing_is_made() -> None:
    with Gateway() as gone:
        url = gone.url
    with pytest.raises(Unreachable, match="no server answers at"):
        make(url)


def test_a_run_on_a_running_fake_stays_in_a_world_of_its_own(fake: str) -> None:
    before = httpx2.get(f"{fake}/_mock/worlds/default/tasks").json()
    with Gateway(fake, "/gw") as gateway:
        run = check_result(
            "--api", "rivya", "--base-url", gateway.url, "--quick", "--only", "test_life",
            "--only", "listModels",
        )  # fmt: skip
    assert run["findings"] == []
    assert run["spent_credits"] > 0
    assert run["target"] == gateway.url
    assert httpx2.get(f"{fake}/_mock/worlds/default/tasks").json() == before
    assert httpx2.get(f"{fake}/_mock/worlds/default/requests").json()["requests"] == []
    assert worlds_of(fake) == ["default"]


def without_door(came: ReceivedRequest) -> HttpAnswer | None:
    return NOT_FOUND if "/_mock" in came.path else None


def test_behind_a_path_the_budget_and_the_checks_of_answers_hold(fake: str) -> None:
    with Gateway(fake, "/gw", rule=without_door) as gateway:
        run = check_result(
            "--api", "rivya", "--base-url", gateway.url, "--api-key", KEY, "--profile", "full",
            "--quick", "--only", "test_a_model_that", "--only", "test_body", "--only", "getCredits",
            "--only", "test_one_generation", "--only", "test_models",
        )  # fmt: skip
    creates = [each for each in gateway.came if each.method == "POST" and "gener" in each.path]
    assert not [each for each in creates if KEY in json.dumps(each.headers)]
    assert run["max_credits"] == run["spent_credits"] == run["doubtful_credits"] == 0
    assert run["reached"]["operations"] > 0
    assert {each["verdict"] for each in run["promises"]} >= {"held"}
    assert [each.path for each in gateway.came if not each.path.startswith("/gw")] == []


def test_no_request_follows_the_server_to_another_port(fake: str) -> None:
    with Gateway() as other:

        def lure(came: ReceivedRequest) -> HttpAnswer | None:
            if "/_mock" in came.path:
                return NOT_FOUND
            if came.method == "GET" and came.path.endswith("/credits"):
                return 302, {"location": f"{other.url}/credits", "set-cookie": "session=1"}, b""
            status, headers, body = gateway.forward(came)
            return status, headers, body.replace(fake.encode(), other.url.encode())

        with Gateway(fake, rule=lure) as gateway:
            run = check_result(
                "--api", "rivya", "--base-url", gateway.url, "--api-key", KEY, "--profile", "full",
                "--max-credits", "400", "--quick", "--only", "test_files", "--only", "getCredits",
                "--only", "test_hailuo", "--only", "test_models", code=1,
            )  # fmt: skip
    assert other.came == []
    assert not gateway.with_text("session=1")
    assert run["requests"] > 10
