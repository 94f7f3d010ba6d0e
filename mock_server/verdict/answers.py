"""What an answer told the client, in the words of the API's facts."""

import re

from mock_server.core.json_values import value_at
from mock_server.verdict.evidence import Evidence
from mock_server.verdict.requests import Request

_ABOUT_CREDITS = re.compile(
    rb"credit|balance|quota|billing|used_up|insufficient", re.IGNORECASE | re.ASCII
)


def lacks_credits(evidence: Evidence, request: Request) -> bool:
    """Whether the client was told that its credits do not suffice, and not as a rate limit."""
    if not request.reached or request.status == 429:
        return False
    no_credits = evidence.client_facts(request.exchange.api).no_credits
    return request.status == 402 or request.code in no_credits


def speaks_of_credits(request: Request) -> bool:
    """Whether the client was told 429, and that its credits or its quota are exhausted."""
    is_refused = request.status == 429 and request.reached
    return is_refused and _ABOUT_CREDITS.search(request.exchange.answer_body) is not None


def refuses_key(evidence: Evidence, request: Request) -> bool:
    """Whether the client was told that its key is wrong, or lacks a permission."""
    refused_key = evidence.client_facts(request.exchange.api).refused_key
    return request.reached and (request.status == 401 or request.code in refused_key)


def refuses_body(evidence: Evidence, request: Request) -> bool:
    """Whether the client was told that this body can never be accepted."""
    refused_body = evidence.client_facts(request.exchange.api).refused_body
    return request.reached and (request.status in {413, 415, 422} or request.code in refused_body)


def refuses_used_key(evidence: Evidence, request: Request) -> bool:
    """Whether the client was told that its idempotency key was used, or is in use."""
    return request.reached and request.code in evidence.client_facts(request.exchange.api).used_key


def asks_to_wait(request: Request) -> bool:
    """Whether the client was told to come back later."""
    return request.reached and request.status in {429, 503}


def is_passing_error(evidence: Evidence, request: Request) -> bool:
    """Whether it failed in a way that passes: no whole answer, 429, or 5xx."""
    was_stopped = request.exchange.ended_by == "server_stopped"
    if request.is_open or was_stopped or evidence.was_killed_during(request):
        return False
    return not request.reached or request.status == 429 or (request.status or 0) >= 500


def is_final_error(evidence: Evidence, request: Request) -> bool:
    """Whether it was refused in a way that does not pass: its key, its body, or no such task."""
    unknown_task = evidence.client_facts(request.exchange.api).unknown_task
    is_unknown = request.status in {404, 410} or request.code in unknown_task
    return (
        (request.reached and is_unknown)
        or refuses_key(evidence, request)
        or refuses_body(evidence, request)
    )


def unknown_state(evidence: Evidence, request: Request) -> bool:
    """Whether the answer has a state that the documents do not have."""
    facts = evidence.client_facts(request.exchange.api)
    shown = [value_at(request.answer, place) for place in facts.state_at] if request.is_ok else []
    return any(isinstance(each, str) and each not in facts.states for each in shown)
