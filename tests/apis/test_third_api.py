"""A made-up third API works like the others, and nothing in `mock_server/` knows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mock_server.apis import ALL
from mock_server.config.sources import SettingsError, read_settings
from mock_server.config.toml import settings_as_toml
from mock_server.control import Control, ControlError, World
from mock_server.server.embedded import served
from tests.apis.made_up import FOLDER, LUMEN

APIS = (*ALL, LUMEN)
PATH = "/lumen/v2/jobs"
ORDER = {"model": "lumen-1", "prompt": "A city at night"}
SLOW_DOWN = "lumen_slow_down"


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    """The control door of a server with three APIs; the file has settings of the third."""
    file = tmp_path_factory.mktemp("settings") / "hailuo-mock.toml"
    file.write_text('[lumen]\ncreate_status = 202\nsecret = "from the file"\n', "utf-8")
    flags = {"port": 0, "scenario_dir": str(FOLDER / "scenarios")}
    settings, _ = read_settings(flags=flags, environment={}, file=file, apis=APIS)
    with served(settings, APIS) as url, Control(url) as control:
        yield control


@pytest.fixture
def world(control: Control) -> Iterator[World]:
    with control.world(clock="frozen") as world:
        yield world


def request(
    world: World, method: str, path: str, body: Any = None, **headers: str
) -> httpx2.Response:
    """A request with the key of the world, unless `headers` has another."""
    sent = world.headers("lumen") | {name.replace("_", "-"): headers[name] for name in headers}
    return httpx2.request(method, f"{world.base_url}{path}", json=body, headers=sent)


def create(world: World, prompt: str = "A city", *, notify: str = "", **headers: str) -> Any:
    order = ORDER | {"prompt": prompt} | ({"notify": notify} if notify else {})
    return request(world, "POST", PATH, order, **headers)


def test_a_task_lives_and_is_paid(world: World) -> None:
    made = create(world)
    assert made.status_code == 202, "the status is set in the file"
    job = made.json()["job"]
    assert job.startswith("job-")
    reserved = world.ledger("lumen-test")
    assert (reserved.reserved, reserved.granted - reserved.available) == (7, 7)
    assert request(world, "GET", f"{PATH}/{job}").json()["state"] == "queued"
    world.clock.advance(0.3)
    assert request(world, "GET", f"{PATH}/{job}").json()["state"] == "processing"
    world.clock.advance(1)
    ended = request(world, "GET", f"{PATH}/{job}").json()
    assert ended["state"] == "succeeded"
    assert httpx2.get(ended["video"]).headers["content-type"] == "video/mp4"
    paid = world.ledger("lumen-test")
    assert (paid.reserved, paid.spent, paid.granted) == (0, 7, paid.available + 7)
    assert request(world, "GET", "/lumen/v2/credits").json() == {"left": paid.available}
    (task,) = world.tasks()
    assert (task.id, task.api, task.model) == (job, "lumen", "lumen-1")


def test_a_failed_task_costs_nothing(world: World) -> None:
    job = create(world).json()["job"]
    world.finish(job, "failed")
    balance = world.ledger("lumen-test")
    assert (balance.available, balance.spent) == (balance.granted, 0)


def test_the_inbox_judges_the_signature_of_an_event(world: World) -> None:
    inbox = world.inbox("hook")
    job = create(world, notify=inbox.url).json()["job"]
    world.clock.advance(2)
    (received,) = inbox.requests()
    assert received.json() == {"job": job, "state": "succeeded"}
    assert (received.signature.valid, received.signature.reason) == (True, "signed by Lumen")
    (delivery,) = world.deliveries()
    assert (delivery.event.api, delivery.state) == ("lumen", "succeeded")
    httpx2.post(inbox.url, content=b"{}", headers={"lumen-signature": "00"})
    assert inbox.requests()[-1].signature.valid is False


def test_a_delivery_goes_wrong(world: World) -> None:
    inbox = world.inbox("hook")
    with world.fault("delivery_not_json"):
        create(world, notify=inbox.url)
        world.clock.advance(2)
    with pytest.raises(ValueError, match="JSON"):
        inbox.requests()[0].json()


@pytest.mark.parametrize("channel", ["control door", "header", "prefer", "key", "prompt"])
def test_every_channel_brings_a_fault(world: World, channel: str) -> None:
    key = world.headers("lumen")["Authorization"]
    headers = {
        "header": {"mock_scenario": SLOW_DOWN},
        "prefer": {"prefer": f"scenario={SLOW_DOWN}"},
        "key": {"Authorization": f"{key}+{SLOW_DOWN}"},
    }.get(channel, {})
    if channel == "control door":
        world.faults.add(SLOW_DOWN, times=1)
    prompt = f"A city mock:{SLOW_DOWN}" if channel == "prompt" else "A city"
    refused = create(world, prompt, **headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "slow_down")
    (recorded,) = world.requests(api="lumen", operation="create")
    assert (recorded.scenario, recorded.without) == (SLOW_DOWN, "accepted")
    assert create(world).status_code == 202


def test_a_server_may_start_with_a_fault_of_the_api() -> None:
    flags = {"port": 0, "scenario_dir": str(FOLDER / "scenarios"), "scenario": SLOW_DOWN}
    settings, _ = read_settings(flags=flags, environment={}, file=None, apis=APIS)
    with served(settings, APIS) as url, Control(url) as control, control.world() as world:
        assert create(world).json()["error"]["code"] == "slow_down"
        assert world.requests()[0].channel == "server default"


def test_prefer_asks_for_an_error_by_its_status(world: World) -> None:
    assert create(world, prefer="code=402").json()["error"]["code"] == "too_poor"


def test_a_task_fault_changes_the_end_of_a_task(world: World) -> None:
    job = create(world, mock_scenario="stuck").json()["job"]
    world.clock.advance(100)
    assert world.task(job).ends_at is None


def test_a_scenario_of_another_api_is_refused(world: World) -> None:
    refused = create(world, mock_scenario="used_up")
    assert refused.status_code == 400
    assert "is for acedata only, and this is lumen" in refused.json()["title"]


def test_faults_that_the_api_cannot_have_are_refused(world: World) -> None:
    def refusal(effect: Any, **match: str) -> str:
        with pytest.raises(ControlError) as refused:
            world.faults.add(effect=effect, match=match)
        return str(refused.value)

    old = {"type": "delivery", "signed_s": -900}
    assert "lumen's signatures have no time; signed_s is for rivya" in refusal(old, api="lumen")
    error = {"type": "error", "code": "slow_down"}
    assert "lumen has no operation upload" in refusal(error, api="lumen", operation="upload")
    assert "must be one of 'acedata', 'lumen', 'rivya'" in refusal(error, api="lumin")
    unknown = {"type": "error", "code": "slow_dawn"}
    assert "did you mean 'slow_down'?" in refusal(unknown, api="lumen")


def test_explain_and_the_journal_know_the_api(control: Control, world: World) -> None:
    refused = request(world, "POST", PATH, {"model": "lumen-1"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "wrong_body")
    explained = control.explain(refused.headers["mock-request"])
    assert "Invalid" in explained.because
    create(world, typo="x")
    request(world, "GET", "/lumen/v2/credits")
    found = world.requests(api="lumen")
    assert [each.operation for each in found] == ["create", "create", "credits"]
    assert {each.account for each in found} == {"lumen-test"}


def test_a_snapshot_goes_on_in_another_world(control: Control, world: World) -> None:
    job = create(world, notify=world.inbox("hook").url).json()["job"]
    world.clock.advance(0.3)
    snapshot = world.snapshot()
    with control.world(clock="frozen") as other:
        other.restore(snapshot)
        assert other.snapshot() == snapshot
        other.clock.advance(2)
        headers = world.headers("lumen")
        shown = httpx2.get(f"{other.base_url}{PATH}/{job}", headers=headers).json()
        assert (shown["job"], shown["state"]) == (job, "succeeded")
        assert other.ledger("lumen-test").spent == 7
        assert other.inbox("hook").requests()[0].signature.valid
    assert world.task(job).state == "processing"


@pytest.mark.parametrize("indent", [None, 1])
def test_a_snapshot_with_an_unknown_api_in_a_fault_is_refused(
    world: World, indent: int | None
) -> None:
    """Also if it is written in another way than the server writes it."""
    world.faults.add(effect={"type": "delay", "seconds": 1}, match={"api": "lumen"})
    snapshot = json.loads(world.snapshot())
    world.restore(json.dumps(snapshot, indent=indent).encode())
    snapshot["faults"]["faults"][0]["rule"]["match"]["api"] = "lumin"
    separators = (",", ":") if indent is None else None
    wrong = json.dumps(snapshot, indent=indent, separators=separators).encode()
    with pytest.raises(ControlError, match="must be one of 'acedata', 'lumen', 'rivya', null"):
        world.restore(wrong)


def test_the_key_of_a_world_leads_there(world: World) -> None:
    (key,) = [each.key for each in world.keys if each.api == "lumen"]
    assert key == f"lum_test-{world.name}"
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx2.get(f"{world.plain_url}/lumen/v2/credits", headers=headers)
    assert (answer.status_code, answer.headers["mock-world"]) == (200, world.name)


def test_an_unknown_key_of_the_api_is_hidden_wherever_it_is(world: World) -> None:
    create(world, prompt="with lum_live_4f9a2c in it")
    (task,), (exchange,) = world.tasks(), world.requests()
    assert task.request["prompt"] == "with [redacted] in it"
    assert "lum_live" not in str(exchange)


def test_a_mistyped_public_key_is_told(world: World) -> None:
    refused = create(world, Authorization=f"Bearer lum_tset-{world.name}")
    assert f"did you mean 'lum_test-{world.name}'?" in refused.json()["error"]["text"]


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/lumen/v2/jobz", "did you mean '/lumen/v2/jobs'?"),
        ("/lumen/jobs", "did you mean '/lumen/v2/jobs'?"),
        ("/lumen/other/things/here", "Lumen Studio's with /lumen/v2/"),
    ],
)
def test_an_unknown_path_is_answered_in_the_style_of_the_api(
    world: World, path: str, hint: str
) -> None:
    answer = request(world, "GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "nothing_here")
    assert hint in answer.json()["error"]["text"]


@pytest.mark.parametrize(
    ("path", "key"),
    [("/lumen/other", ""), ("/nowhere/at/all", "lum_test"), ("/nowhere/at/all", "lum_unknown")],
)
def test_an_unknown_path_belongs_to_the_api_of_its_beginning_or_its_key(
    control: Control, path: str, key: str
) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = httpx2.get(f"{control.url}{path}", headers=headers)
    assert answer.json()["error"]["code"] == "nothing_here"


def test_another_api_recognises_the_id_of_a_task(world: World) -> None:
    job = create(world).json()["job"]
    headers = {"Authorization": f"Bearer {world.rivya_key}"}
    answer = httpx2.get(f"{world.base_url}/api/v1/generations/{job}", headers=headers)
    assert "that is the id of a job of Lumen Studio" in answer.json()["error"]["message"]


def test_the_page_and_the_client_list_the_api(control: Control) -> None:
    (served_api,) = [each for each in control.version().apis if each.name == "lumen"]
    assert (served_api.short_title, served_api.create_path) == ("Lumen", PATH)
    assert served_api.create_body == ORDER
    described = httpx2.get(f"{control.url}/_mock/control.json").text
    assert described.count('"acedata","lumen","rivya"') > 5
    assert "x-api-names" not in described


def test_the_document_of_the_server_describes_the_api(control: Control) -> None:
    document = httpx2.get(f"{control.url}/_mock/openapi.json").json()
    assert {"/api/v1/credits", "/hailuo/videos", PATH} <= set(document["paths"])
    body = document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/JobRequest"}
    assert document["components"]["schemas"]["JobRequest"]["required"] == ["model", "prompt"]


def test_a_scenario_has_commands_for_the_api(control: Control) -> None:
    scenario = control.scenario(SLOW_DOWN)
    assert scenario.apis == ("lumen",)
    assert f"{control.url}{PATH} -H 'Authorization: Bearer lum_test'" in scenario.how["header"]
    assert '{"model": "lumen-1", "prompt": "A calm sea"}' in scenario.how["header"]
    assert "lumen" in control.scenario("stuck").apis


def test_its_settings_are_read_and_shown(tmp_path: Path) -> None:
    def read(text: str) -> Any:
        file = tmp_path / "hailuo-mock.toml"
        file.write_text(text, "utf-8")
        environment = {"HAILUO_MOCK_LUMEN_SECRET": "of the environment"}
        return read_settings(flags={}, environment=environment, file=file, apis=APIS)

    _, rows = read("[lumen]\ncreate_status = 202\n")
    shown = settings_as_toml(rows)
    assert "[lumen]\n# status of a successful create (" in shown
    assert "create_status = 202\n" in shown
    assert 'secret = "of the environment"' in shown
    assert 'key = "lum_test"\napi = "lumen"\nscopes = []' in shown
    with pytest.raises(SettingsError, match="did you mean 'lumen.secret'?"):
        read('[lumen]\nsecrit = "x"\n')
    key = '[[accounts]]\nname = "a"\ncredits = 1\n[[accounts.keys]]\nkey = "k"\napi = "lumen"\n'
    with pytest.raises(SettingsError, match="a Lumen Studio key of 'a' must start with lum_"):
        read(key)


def test_events_of_other_apis_are_not_signed_by_this_one(world: World) -> None:
    inbox = world.inbox("hook")
    headers = {"Authorization": f"Bearer {world.acedata_token}"}
    body = {"action": "generate", "prompt": "A city", "callback_url": inbox.url}
    httpx2.post(f"{world.base_url}/hailuo/videos", json=body, headers=headers)
    world.clock.advance(2)
    (received,) = inbox.requests()
    assert received.signature.valid is None
