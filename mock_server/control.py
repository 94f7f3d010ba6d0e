"""The door for tests and people, under `/_mock/`: is it alive, does it serve, what runs."""

from __future__ import annotations

from starlette.responses import Response

from mock_server import __version__
from mock_server.core.refusals import MethodNotAllowed, Refusal, UnknownPath
from mock_server.edge.call import Call, json_response


class ProblemVoice:
    """Says no in `application/problem+json` (RFC 9457), where no vendor's words apply."""

    def refuse(self, call: Call, refusal: Refusal) -> Response:
        """The answer for a refusal."""
        headers, status = {}, 404 if isinstance(refusal, UnknownPath) else 400
        if isinstance(refusal, MethodNotAllowed):
            headers, status = {"Allow": ", ".join(refusal.allowed)}, 405
        return _problem(call, status, str(refusal), headers)

    def break_down(self, call: Call) -> Response:
        """The answer for a fault of the server itself."""
        return _problem(call, 500, "the server broke; its log says how", {})


async def health(call: Call) -> Response:
    """GET /_mock/health: the process is alive."""
    return json_response({"status": "alive"})


async def ready(call: Call) -> Response:
    """GET /_mock/ready: it serves; whoever can read this can send requests."""
    return json_response({"status": "ready"})


async def version(call: Call) -> Response:
    """GET /_mock/version: what runs, and the seed that makes it repeatable."""
    return json_response({"version": __version__, "seed": call.world.seed})


async def openapi_document(call: Call) -> Response:
    """GET /_mock/openapi.json: the contract of both APIs in one document."""
    return json_response(call.fake.contract.openapi)


def _problem(call: Call, status: int, sentence: str, headers: dict[str, str]) -> Response:
    body = {"title": sentence, "status": status, "instance": call.exchange.path}
    response = json_response(body, status, headers)
    response.headers["content-type"] = "application/problem+json"
    return response
