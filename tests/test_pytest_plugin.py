"""The pytest plugin, as a suite that only has the package installed meets it."""

from __future__ import annotations

import subprocess
import sys

import httpcore2  # noqa: F401 (httpx2 wants it late; what a suite in this process imports goes again)
import pytest

from tests.live import live

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def nothing_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "CONTROL_TOKEN", "CONFIG", "SEED"):
        monkeypatch.delenv(f"HAILUO_MOCK_{name}", raising=False)


STRICT = ("-p", "no:schemathesis", "-W", "error")


def run(suite: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run the suite; every warning is an error."""
    return suite.runpytest_inprocess(*STRICT, *arguments)


def run_apart(suite: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """The same in a process of its own."""
    return suite.runpytest_subprocess(*STRICT, *arguments)


CLIENT = """
import httpx2, pytest
from mock_server.control import Control, ControlError

BODY = {"model": "hailuo-pro", "prompt": "A calm sea"}

def create(world, url=None):
    url = f"{url or world.rivya_url}/api/v1/generations"
    return httpx2.post(url, json=BODY, headers=world.headers("rivya"))
"""


def test_a_test_gets_a_fresh_world_and_nothing_has_to_be_configured(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        CLIENT
        + """
names = set()

@pytest.mark.parametrize("number", range(3))
def test_alone(world, number):
    assert world.tasks() == []
    assert create(world).status_code == 200
    assert len(world.tasks()) == 1
    names.add(world.name)
    assert len(names) == number + 1

def test_worlds_are_dropped(hailuo_mock):
    assert [each.name for each in hailuo_mock.worlds()] == ["default"]

def test_by_its_key_alone(world):
    assert create(world, world.plain_url).headers["mock-world"] == world.name
"""
    )
    run(pytester, "--strict-markers").assert_outcomes(passed=5)


def test_one_server_serves_the_whole_session_and_stops_after_it(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
import threading
urls = set()

def test_one(hailuo_mock, world):
    urls.add(hailuo_mock.url)

def test_two(hailuo_mock, world):
    assert urls == {hailuo_mock.url}
"""
    )
    pytester.makeconftest(
        """
import threading

def pytest_unconfigure():
    print("threads", threading.active_count())
"""
    )
    result = run_apart(pytester, "-s")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["threads 1"])


def test_a_suite_has_settings_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
import pytest
from mock_server.control import Control, ControlError

@pytest.fixture(scope="session")
def hailuo_mock_settings():
    return {"clock.mode": "frozen", "seed": 7, "control_token": "sesame"}

def test_settings_hold(hailuo_mock, world, hailuo_mock_app):
    assert hailuo_mock.version().seed == 7
    assert hailuo_mock.find().clock.get().mode == "frozen"
    with pytest.raises(ControlError, match="locked"):
        Control(hailuo_mock.url).worlds()
    with Control(hailuo_mock_app, "sesame") as control:
        assert control.version().seed == 7
"""
    )
    run(pytester).assert_outcomes(passed=1)


def test_an_unknown_setting_is_told_with_near_names(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
import pytest

@pytest.fixture(scope="session")
def hailuo_mock_settings():
    return {"tasks.queud_s": 0}

def test_it(world):
    pass
"""
    )
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*hailuo_mock_settings: there is no setting 'tasks.queud_s'; did you mean*tasks.queued_s*"]
    )


def test_a_used_port_is_reported(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
import socket, pytest

@pytest.fixture(scope="session")
def hailuo_mock_settings():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield {"port": taken.getsockname()[1]}

def test_it(world):
    pass
"""
    )
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E*OSError: could not listen on 127.0.0.1 port *"])


def test_a_server_that_holds_a_request_stops_all_the_same(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
import threading
import httpx2

def ask(world):
    headers = world.headers("acedata")
    video = {"action": "generate", "prompt": "x"}
    url = f"{world.acedata_url}/hailuo/videos"
    httpx2.post(url, json=video, headers=headers)

def test_it(hailuo_mock):
    world = hailuo_mock.find()
    world.clock.freeze()
    threading.Thread(target=ask, args=[world]).start()
    while not world.tasks():
        pass
"""
    )
    run(pytester).assert_outcomes(passed=1)


def test_the_environment_and_the_file_set_what_the_suite_leaves_open(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAILUO_MOCK_SEED", "9")
    monkeypatch.setenv("HAILUO_MOCK_CONFIG", "mine.toml")
    pytester.makefile(".toml", mine="port = 1\nseed = 8\n[clock]\nmode = 'frozen'\n")
    pytester.makepyfile(
        """
def test_it(hailuo_mock):
    assert hailuo_mock.version().seed == 9
    assert hailuo_mock.find().clock.get().mode == "frozen"
"""
    )
    run(pytester).assert_outcomes(passed=1)


def test_a_mark_has_the_options_of_the_world(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
import pytest

@pytest.mark.hailuo_world(credits=60, seed=5, clock="frozen")
def test_marked(world):
    assert world.ledger("rivya-test").available == 60
    assert world.seed == 5
    assert world.clock.get().mode == "frozen"
"""
    )
    run(pytester, "--strict-markers").assert_outcomes(passed=1)
    run(pytester, "--markers").stdout.fnmatch_lines(["@pytest.mark.hailuo_world(seed=*"])


SEEDS = """
import pytest

def test_first(world):
    pass

@pytest.mark.parametrize("thing", ["a b", "Ünï/..", "x" * 80])
def test_seed(world, thing):
    print("seed", thing[:1], world.seed, world.name)
"""


def seeds(result: pytest.RunResult) -> list[str]:
    return [line for line in result.stdout.lines if line.startswith("seed ")]


def test_seed_and_name_of_a_world_do_not_depend_on_other_tests(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(SEEDS)
    together = seeds(run(pytester, "-rP"))
    assert len(set(together)) == 3
    assert seeds(run(pytester, "-rP", "-k", "test_seed and xxx")) == together[-1:]


def test_another_seed_of_the_server_is_another_seed_of_every_world(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(SEEDS)
    one = seeds(run(pytester, "-rP"))
    monkeypatch.setenv("HAILUO_MOCK_SEED", "9")
    assert not set(one) & set(seeds(run(pytester, "-rP")))


def test_async_tests_have_the_same_world_to_await(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        CLIENT
        + """
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.parametrize("number", range(2))  # each has an event loop of its own
async def test_it(async_world, world, number):
    await async_world.clock.freeze()
    async with httpx2.AsyncClient(headers=async_world.headers("rivya")) as client:
        async with async_world.fault("rate_limited", times=1):
            url = async_world.rivya_url + "/api/v1/generations"
            assert (await client.post(url, json=BODY)).status_code == 429
            assert (await client.post(url, json=BODY)).status_code == 200
    assert (await async_world.clock.until_idle())[-1].outcome == "succeeded"
    assert (await async_world.ledger("rivya-test")).spent == 57
    assert world.name == async_world.name
"""
    )
    run(pytester).assert_outcomes(passed=2)


def test_an_app_of_its_own_needs_no_socket_and_no_certain_event_loop(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        CLIENT
        + """
import asyncio
from mock_server.control import AsyncControl
from mock_server.control.transport import InThread

def test_async(hailuo_mock_app):
    async def scene(count):
        world = await AsyncControl(hailuo_mock_app).find()
        transport = httpx2.ASGITransport(app=hailuo_mock_app)
        async with httpx2.AsyncClient(transport=transport) as client:
            url = world.rivya_url + "/api/v1/generations"
            await client.post(url, json=BODY, headers=world.headers("rivya"))
            async with world.fault("lost_answer", times=1):
                with pytest.raises(ConnectionResetError):
                    await client.post(url, json=BODY, headers=world.headers("rivya"))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    hang = {"authorization": "Bearer rvya_sk_test+hang"}
                    await client.post(url, json=BODY, headers=hang)
        assert len(await world.tasks()) == count
    asyncio.run(scene(2))
    asyncio.run(scene(4))

def test_waiting(hailuo_mock_app):
    with Control(hailuo_mock_app) as control:
        world = control.find()
        assert world.tasks() == []
        with httpx2.Client(transport=InThread(hailuo_mock_app)) as client:
            url = world.rivya_url + "/api/v1/generations"
            assert client.post(url, json=BODY, headers=world.headers("rivya")).status_code == 200
        assert len(world.tasks()) == 1

def test_left_in_the_middle(hailuo_mock_app):
    async def scene():
        transport = httpx2.ASGITransport(app=hailuo_mock_app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
            headers = {"authorization": "Bearer test-token"}
            video = {"action": "generate", "prompt": "x"}
            held = asyncio.create_task(client.post("/hailuo/videos", json=video, headers=headers))
            world = await AsyncControl(hailuo_mock_app).find()
            while not await world.tasks():
                pass
    asyncio.run(scene())
"""
    )
    run(pytester).assert_outcomes(passed=3)


def test_a_test_may_drop_its_world_itself(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(world):\n    world.drop()\n")
    run(pytester).assert_outcomes(passed=1)


def test_a_refused_connection_is_reported_and_no_test_passes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAILUO_MOCK_URL", "http://127.0.0.1:1")
    pytester.makepyfile("def test_it(world):\n    pass\n")
    result = run_apart(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no server answers at http://127.0.0.1:1*"])


NEVER = """
def test_it(world):
    with world.fault("lost_answer"):
        pass
"""


def test_a_fault_that_never_happened_is_in_the_summary_with_its_line(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(NEVER)
    result = pytester.runpytest_inprocess("-p", "no:schemathesis", "-W", "default")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        ["*test_*.py:2: FaultNeverHappened: the fault fault_1 (lost_answer) never happened: *"]
    )


def test_a_suite_may_have_it_be_an_error_or_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(NEVER)
    name = "mock_server.control.FaultNeverHappened"
    result = pytester.runpytest_inprocess("-p", "no:schemathesis", "-W", f"error::{name}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['>*with world.fault("lost_answer"):', "E*FaultNeverHappened: *"])
    result = pytester.runpytest_inprocess("-p", "no:schemathesis", "-W", f"ignore::{name}")
    result.assert_outcomes(passed=1, warnings=0)


# --- reports ------------------------------------------------------------------------------------


def test_a_failure_shows_the_world_the_requests_and_the_ledger(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        CLIENT
        + """
def test_fails(world):
    create(world)
    httpx2.get(world.rivya_url + "/api/v1/credits")
    print("seed", world.seed)
    assert world.tasks() == []
"""
    )
    result = run(pytester)
    result.assert_outcomes(failed=1)
    (seed,) = [line.partition(" ")[2] for line in seeds(result)]
    result.stdout.fnmatch_lines(
        [
            "*- hailuo-mock world -*",
            f"fails-* at http://127.0.0.1:*/w/fails-*, seed {seed}",
            "*- hailuo-mock requests -*",
            "*POST /api/v1/generations*200*",
            "*GET /api/v1/credits*401*",
            "*- hailuo-mock ledger -*",
            "*rivya-test*reserved=57*",
        ]
    )
    assert result.stdout.str().count("- hailuo-mock ledger -") == 1


def test_evicted_requests_are_mentioned(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        CLIENT
        + """
@pytest.fixture(scope="session")
def hailuo_mock_settings():
    return {"limits.journal_exchanges": 2}

def test_fails(world):
    assert [create(world).status_code for _ in range(5)] == []
"""
    )
    result = run(pytester)
    result.stdout.fnmatch_lines(["*- hailuo-mock requests -*", "3 before these are no longer kept"])


def test_a_fixture_that_fails_after_the_world_was_made_shows_it_too(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
import pytest

@pytest.fixture
def client(world):
    raise RuntimeError

def test_it(client):
    pass
"""
    )
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*- hailuo-mock requests -*", "none came"])


def test_a_dropped_world_hides_no_failure(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("def test_it(world):\n    world.drop()\n    assert world is None\n")
    run(pytester).stdout.fnmatch_lines(["*not available: there is no world called*", "* 1 failed*"])


def test_a_refusal_of_the_door_is_shown_at_the_line_of_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
def test_refused(world):
    world.faults.add("lost_answr")

def test_not_verified(world):
    world.verify(path="/nothing", count=1)
"""
    )
    result = run(pytester)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            '>*world.faults.add("lost_answr")',
            "*ControlError: /scenario there is no scenario 'lost_answr'; did you mean*",
            '>*world.verify(path="/nothing", count=1)',
            "E*AssertionError: expected exactly 1 such requests, found 0",
        ]
    )
    result.stdout.no_fnmatch_line("*control*.py:*")


def test_tests_that_pass_or_have_no_world_show_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
def test_passes(world):
    pass

def test_fails():
    assert False
"""
    )
    result = run(pytester, "-rA")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.no_fnmatch_line("*- hailuo-mock*")


# --- many workers -------------------------------------------------------------------------------

WORKERS = (
    CLIENT
    + """
@pytest.mark.parametrize("number", range(6))
def test_it(world, hailuo_mock, number, worker_id):
    assert world.tasks() == []
    assert create(world).status_code == 200
    assert len(world.tasks()) == 1
    print("server", worker_id, hailuo_mock.url)
"""
)


def servers(result: pytest.RunResult) -> set[tuple[str, str]]:
    lines = [line.split() for line in result.stdout.lines if line.startswith("server ")]
    return {(worker, url) for _, worker, url in lines}


def test_each_worker_of_xdist_has_a_server_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(WORKERS)
    result = run(pytester, "-n", "2", "-rP")
    result.assert_outcomes(passed=6)
    found = servers(result)
    assert len({worker for worker, _ in found}) == len({url for _, url in found}) == 2


def test_workers_share_the_server_at_the_url_and_have_worlds_of_their_own(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(test_one=WORKERS, test_other=WORKERS)
    with live(control_token="sesame") as server:
        monkeypatch.setenv("HAILUO_MOCK_URL", server.url)
        monkeypatch.setenv("HAILUO_MOCK_CONTROL_TOKEN", "sesame")
        result = run(pytester, "-n", "2", "-rP")
        result.assert_outcomes(passed=12)
        assert {url for _, url in servers(result)} == {server.url}
        assert server.fake.worlds.names == ["default"]


def test_at_a_shared_server_too_a_test_has_the_same_seed_each_time(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(SEEDS)
    with live() as server:
        monkeypatch.setenv("HAILUO_MOCK_URL", server.url)
        runs = [
            [line.split()[:3] for line in seeds(run(pytester, "-rP", "-k", "test_seed"))]
            for _ in range(2)
        ]
    assert runs[0] == runs[1]
    assert len({seed for *_, seed in runs[0]}) == 3


# --- a suite that forbids sockets ---------------------------------------------------------------

# At the end it imports itself, and Python 3.11 may fail then with an error of its parser.
NO_HYPOTHESIS = ("-p", "no:hypothesispytest")
NO_SOCKETS = """
import socket
import pytest

class SocketBlockedError(RuntimeError):
    pass

class Guarded(socket.socket):
    def __new__(cls, *args, **kwargs):
        raise SocketBlockedError("a test tried to use a socket")

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item, real=socket.socket):
    socket.socket = Guarded

def pytest_runtest_teardown(item, real=socket.socket):
    socket.socket = real
"""


@pytest.mark.parametrize("fixture", ["world", "async_world", "hailuo_mock", "hailuo_mock_app"])
def test_a_fixture_fails_at_once_if_sockets_are_forbidden(
    pytester: pytest.Pytester, fixture: str
) -> None:
    pytester.makeconftest(NO_SOCKETS)
    pytester.makepyfile(f"def test_it({fixture}): pass")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *STRICT, *("-p", "no:cacheprovider"), *NO_HYPOTHESIS],
        cwd=pytester.path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "SocketBlockedError: a test tried to use a socket" in done.stdout
    assert "1 error" in done.stdout
    assert "never awaited" not in done.stdout + done.stderr


def test_blank_variables_are_ignored(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("URL", "CONTROL_TOKEN", "CONFIG", "SEED"):
        monkeypatch.setenv(f"HAILUO_MOCK_{name}", " ")
    pytester.makepyfile("def test_it(world): assert world.tasks() == []")
    run(pytester).assert_outcomes(passed=1)


# --- costs --------------------------------------------------------------------------------------


def test_a_suite_without_the_fixtures_imports_nothing_for_them() -> None:
    code = """
import sys
import pytest
before = set(sys.modules)
import mock_server.pytest_plugin
print(sorted(name for name in set(sys.modules) - before if name.partition(".")[0] not in STDLIB))
""".replace("STDLIB", "sys.stdlib_module_names")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "['mock_server', 'mock_server.pytest_plugin']"
