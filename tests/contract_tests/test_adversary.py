"""Law: no server makes the suite spend more than its budget, or ask another host."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import requests

from contract_tests.budget import NotSent
from contract_tests.target import Target
from tests.contract_tests.adversary import BODIES, KEYS, PATHS, Adversary, target_of

BASES = ("http://shop.test", "http://shop.test/gw", "https://shop.test:8443/a/b")


def key_headers(chance: random.Random) -> dict[str, str]:
    """A key of an account, in one of the ways in which a server might read it; or none."""
    key = chance.choice([key for keys in KEYS.values() for key in keys.values()])
    return chance.choice(
        [
            {"authorization": f"Bearer {key}"},
            {"authorization": f"bearer  {key} "},
            {"authorization": key},
            {"x-api-key": key},
            {},
        ]
    )


def send_anything(target: Target, chance: random.Random) -> None:
    """Send one request as some check might: a create, a read, a download, an odd path."""
    answers = target.transport.exchanges
    if answers and chance.random() < 0.2:
        found: Any = answers[-1].json
        result = found.get("result") if isinstance(found, dict) else None
        target.download(result["primary_url"] if result else "http://other.test/")
        return
    method = chance.choice(["POST", "POST", "POST", "PUT", "PATCH", "GET"])
    target.session.request(
        method,
        target.base_url + chance.choice([PATHS[0], *PATHS]),
        data=chance.choice(BODIES),
        headers=key_headers(chance),
        allow_redirects=chance.random() < 0.5,
    )


def test_no_server_makes_a_run_exceed_its_budget_or_ask_another_host(
    pytestconfig: pytest.Config,
) -> None:
    count = pytestconfig.getoption("adversaries")
    charged = creates = budgets = refused = 0
    for seed in range(count):
        chance = random.Random(seed)
        max_credits = chance.choice([0, 1, 29, 30, 57, 58, 100, 457, chance.randrange(3000)])
        server = Adversary(seed, chance.choice(BASES))
        target = target_of(server, max_credits)
        for _ in range(25):
            try:
                with suppress(requests.RequestException, ValueError):
                    send_anything(target, chance)
            except NotSent:
                refused += 1
            budget = target.transport.budget
            assert server.charged <= max_credits, f"seed {seed}"
            assert server.charged <= budget.spent_credits + budget.doubtful_credits, f"seed {seed}"
            assert not server.strangers, f"seed {seed}"
        charged, creates = charged + server.charged, creates + server.creates
        budgets += max_credits
    print(
        f"{count} adversaries: {charged} credits charged of {budgets}, {creates} creates, "
        f"{refused} requests not sent"
    )
    assert creates > count  # without creates the test would prove nothing


class _Slow(Adversary):
    """Takes every create, and says of each that it costs nothing."""

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:  # type: ignore[override]
        if request.method == "GET":
            models = [{"id": n, "base_credits": 57} for n in ("hailuo-pro", "hailuo-standard")]
            return self.answer(request, 200, {"data": models})
        self.charged += 57
        time.sleep(0.01)
        return self.answer(request, 200, {"id": "task", "reserved_credits": 0})


def test_creates_at_the_same_time_share_the_budget() -> None:
    server = _Slow(1, BASES[0])
    target = target_of(server, 200)

    def create(_: int) -> None:
        with suppress(NotSent):
            target.caller("rivya").post("/generations", {"model": "hailuo-pro", "prompt": "x"})

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(create, range(64)))
    assert server.charged == 3 * 57
    budget = target.transport.budget
    assert budget.spent_credits + budget.doubtful_credits == 3 * 57
