"""Broken servers of Rivya with other amounts beside the examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from contract_tests.broken.broken_server import Answer
from contract_tests.broken.rivya.messages import (
    ANY,
    CREATE,
    CREDITS,
    READ,
    change_balance,
    has_failed,
    has_succeeded,
    is_created,
    on_answer,
    params_of,
)

MONEY = f"{CREATE}|{READ}|{CREDITS}"


def misprice(
    name: str, promise: str, amount: Callable[[Answer, Counter[str]], int], where: str = MONEY
) -> None:
    """Add a server that adds to the balance what `amount` returns for each create and read before.

    It is given the answer, and a counter of the account that it may use.
    """

    def change(answer: Answer) -> None:
        key = answer.sent.key
        account = key if key in {"rvya_sk_second", "rvya_sk_poor", "rvya_sk_one"} else "own"
        of_account = answer.memory.setdefault(account, {"by": 0, "count": Counter()})
        of_account["by"] += amount(answer, of_account["count"])
        change_balance(answer, of_account["by"])

    on_answer(name, promise, where, change)


def _first_end(answer: Answer, count: Counter[str], has_ended: Callable[[Any], bool]) -> bool:
    """Whether the answer is the first that shows this end of a generation."""
    if answer.status != 200 or not has_ended(answer.json):
        return False
    count[answer.json["id"]] += 1
    return count[answer.json["id"]] == 1


def _references_cost(answer: Answer, _: Counter[str]) -> int:
    return -10 * len(params_of(answer.sent).get("referenceMediaItems", [])) * is_created(answer)


def _optimizer_costs(answer: Answer, _: Counter[str]) -> int:
    return -(is_created(answer) and params_of(answer.sent).get("prompt_optimizer") == "true")


def _third_is_free(answer: Answer, count: Counter[str]) -> int:
    if not is_created(answer):
        return 0
    count["creates"] += 1
    free = count["creates"] % 3 == 0
    return int(answer.json["reserved_credits"]) if free else 0


def _keep_one_of_pro(answer: Answer, count: Counter[str]) -> int:
    return -(_first_end(answer, count, has_failed) and answer.json["model"] == "hailuo-pro")


def _give_back_once_only(answer: Answer, count: Counter[str]) -> int:
    if not _first_end(answer, count, has_failed):
        return 0
    count["failed"] += 1
    return -int(answer.json["reserved_credits"]) if count["failed"] > 1 else 0


def _give_back_at_each_read(answer: Answer, count: Counter[str]) -> int:
    is_again = has_failed(answer.json) and not _first_end(answer, count, has_failed)
    return int(answer.json["reserved_credits"]) if is_again and count[answer.json["id"]] > 2 else 0


def _success_of_pro_takes_more(answer: Answer, count: Counter[str]) -> int:
    return -57 * (_first_end(answer, count, has_succeeded) and answer.json["model"] == "hailuo-pro")


def _free_after_a_failure(answer: Answer, count: Counter[str]) -> int:
    if _first_end(answer, count, has_failed):
        count["free"] = 1
    if is_created(answer) and count["free"]:
        count["free"] = 0
        return int(answer.json["reserved_credits"])
    return 0


def _third_read_costs(answer: Answer, count: Counter[str]) -> int:
    if answer.sent.method != "GET" or answer.sent.path.endswith("/credits"):
        return 0
    count[answer.sent.path] += 1
    return -(count[answer.sent.path] == 3)


def refused_costs(status: int) -> Callable[[Answer, Counter[str]], int]:
    """An amount that charges each create that is refused with this status."""

    def amount(answer: Answer, _: Counter[str]) -> int:
        return -30 * (answer.sent.method == "POST" and answer.status == status)

    return amount


def _third_balance_is_old(answer: Answer) -> None:
    """Show the balance before the last create in every third answer after one."""
    memory = answer.memory
    if answer.sent.path.endswith("/credits") and answer.status == 200:
        memory["reads"] = memory.get("reads", 0) + 1
        old = memory.get(answer.sent.key)
        memory[answer.sent.key] = answer.body
        if memory["reads"] % 3 == 0 and old:
            answer.body = old


misprice("references-cost-more", "rule.create-takes-the-price", _references_cost)
misprice("the-optimizer-costs-a-credit", "rule.create-takes-the-price", _optimizer_costs)
misprice("the-third-create-is-free", "rule.create-takes-the-price", _third_is_free)
misprice("the-third-read-costs", "rule.reads-are-free", _third_read_costs, ANY)
misprice("failed-pro-keeps-a-credit", "rule.failure-gives-back", _keep_one_of_pro)
misprice("the-second-failure-is-kept", "rule.failure-gives-back", _give_back_once_only)
misprice("each-read-of-a-failure-gives-back", "rule.failure-gives-back", _give_back_at_each_read)
misprice("success-of-pro-takes-more", "rule.success-takes-no-more", _success_of_pro_takes_more)
misprice("a-create-after-a-failure-is-free", "rule.create-takes-the-price", _free_after_a_failure)
misprice("a-conflict-is-charged", "rule.other-body-conflicts", refused_costs(409))
misprice("a-refused-body-is-charged", "rule.refused-creates-nothing", refused_costs(400))
misprice("a-missing-scope-is-charged", "rule.refused-creates-nothing", refused_costs(403))
on_answer("the-balance-is-old-at-times", "rule.create-takes-the-price", CREDITS,
          _third_balance_is_old)  # fmt: skip


def _long_prompts_reserve_more(answer: Answer) -> None:
    if is_created(answer) and len(answer.sent.json["prompt"]) > 1000:
        answer.json = answer.json | {"reserved_credits": answer.json["reserved_credits"] * 2}


def _pro_ends_as_standard(answer: Answer) -> None:
    shown = answer.json
    if has_succeeded(shown) and shown["model"] == "hailuo-pro":
        answer.json = shown | {"final_credits": 30}


on_answer("long-prompts-reserve-more", "rule.reserves-the-price", CREATE,
          _long_prompts_reserve_more)  # fmt: skip
on_answer("pro-ends-at-the-price-of-standard", "rule.success-takes-no-more", READ,
          _pro_ends_as_standard)  # fmt: skip
