"""Finds out before the first check whether the checks can judge the service at all.

Only requests that cost nothing are sent. One odd answer is left to the checks; if all answers of an
API have the same obstacle, no check could tell anything about the service.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from contract_tests.contract import PREFIX, Api
from contract_tests.exchange import GATEWAY_STATUSES
from contract_tests.json_values import parse_json
from contract_tests.network import reason_of

LIMIT_S = 10.0
_GATEWAY_WAITS_S = (1.0, 2.0)
_UNKNOWN = "00000000-0000-4000-8000-000000000000"

Probe = tuple[str, str, Any]
_PROBES: Mapping[Api, tuple[Probe, ...]] = {
    "rivya": (
        ("GET", "/credits", None),
        ("GET", "/generations/task_unknown", None),
        ("GET", "/models", None),
    ),
    "acedata": (
        ("POST", "/tasks", {"action": "retrieve", "id": _UNKNOWN}),
        ("POST", "/tasks", {"action": "retrieve_batch", "ids": [_UNKNOWN]}),
    ),
}
"""Requests with a key that cost nothing: method, path after the prefix, JSON."""

_KEYLESS = frozenset({"/models"})
_REFUSED = frozenset({401, 403})


class NothingToJudge(Exception):
    """No check could judge the service. The message is the reason."""


def require_answers(
    session: requests.Session, base_url: str, keys: Mapping[Api, str], longest_wait_s: float
) -> None:
    """Raise NothingToJudge if no API of these keys can be judged with them.

    session: sends the requests; follows no redirect.
    """
    prober = _Prober(session, base_url, longest_wait_s)
    for api, key in keys.items():
        asked = prober.ask(api, key)
        with_key = [
            answer
            for probe, answer in zip(_PROBES[api], asked, strict=True)
            if probe[1] not in _KEYLESS
        ]
        reasons = [_obstacle(answer, base_url, api) for answer in asked]
        if all(reasons):
            raise NothingToJudge(f"nothing was judged: {reasons[0]}")
        if all(answer.status_code in _REFUSED for answer in with_key):
            raise NothingToJudge(
                f"nothing was judged: the key was refused ({with_key[0].status_code}"
                f"{_code_of(with_key[0])}) by {api}"
            )


@dataclass(frozen=True)
class _Prober:
    """Sends the probes of an API."""

    session: requests.Session
    base_url: str
    longest_wait_s: float

    def ask(self, api: Api, key: str) -> list[requests.Response]:
        """The answer to each probe. Those of a gateway are asked for again, a few times in all."""
        waits_s = iter(_GATEWAY_WAITS_S)
        answers: list[requests.Response] = []
        for method, path, body in _PROBES[api]:
            url = self.base_url + PREFIX[api] + path
            answer = self._send(method, url, body, key)
            while answer.status_code in GATEWAY_STATUSES and (wait_s := next(waits_s, None)):
                time.sleep(min(wait_s, self.longest_wait_s))
                answer = self._send(method, url, body, key)
            answers.append(answer)
        return answers

    def _send(self, method: str, url: str, body: Any, key: str) -> requests.Response:
        headers = {"authorization": f"Bearer {key}"}
        limit_s = min(LIMIT_S, self.longest_wait_s)
        how = {"json": body, "headers": headers, "timeout": limit_s, "allow_redirects": False}
        try:
            return self.session.request(method, url, **how)
        except requests.RequestException as error:
            raise NothingToJudge(f"nothing was judged: {reason_of(error, url)}") from error


def _obstacle(answer: requests.Response, base_url: str, api: Api) -> str:
    """Why an answer may not be the API's own, or "". An unknown id is 404, too."""
    status, headers = answer.status_code, answer.headers
    if 300 <= status < 400:
        there = headers.get("location", "another place")
        return f"the server redirects ({status}) to {there[:100]}: is that a login page?"
    if status in GATEWAY_STATUSES and not _is_json(answer):
        return f"a gateway answers for the service ({status})"
    if status in {404, 405}:
        before = f"--base-url is what comes before {PREFIX[api]}"
        return f"{base_url}{PREFIX[api]}/... is {status}: {before}"
    if not _is_json(answer):
        kind = headers.get("content-type", "").partition(";")[0] or "no content type"
        return f"{base_url} answers {status} {kind} instead of JSON: is it the API?"
    return ""


def _is_json(answer: requests.Response) -> bool:
    nothing = object()
    return parse_json(answer.content, nothing) is not nothing


def _code_of(answer: requests.Response) -> str:
    fields = parse_json(answer.content)
    error = fields.get("error") if isinstance(fields, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return f" {code}" if isinstance(code, str) else ""
