"""The counts of the server in the text format of Prometheus, version 0.0.4."""

from collections.abc import Iterator

import msgspec
from starlette.responses import Response

from mock_server import __version__
from mock_server.core.counts import Counts
from mock_server.edge.call import Call

_FAMILIES = {
    "requests": (
        "Requests that ended, without those to the control door; status none: no answer.",
        ("api", "operation", "status"),
    ),
    "refusals": (
        "Error answers by the error code of the API, with those that a fault asked for.",
        ("api", "code"),
    ),
    "attempts": ("Attempts to send a callback or webhook.", ("api", "outcome")),
    "deliveries": ("Callbacks and webhooks that ended.", ("api", "outcome")),
    "credits": ("Credits that were reserved, spent or released.", ("api", "movement")),
    "evictions": ("What was deleted for lack of room.", ("kind",)),
}
"""The sentence and the labels of each counter, by its name in Counts."""


async def show_metrics(call: Call) -> Response:
    """GET /_mock/metrics: counters of all worlds of this process since the start, as text for
    Prometheus. `/w/w2/_mock/metrics` has those of the shard w2.
    They have no world, account or id, so that their number is limited."""
    text = "\n".join(_lines(call.server.counts)) + "\n"
    return Response(text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


def _lines(counts: Counts) -> Iterator[str]:
    yield "# HELP hailuo_mock_info The version of the server."
    yield "# TYPE hailuo_mock_info gauge"
    yield f'hailuo_mock_info{{version="{__version__}"}} 1'
    for family, (sentence, labels) in _FAMILIES.items():
        name = f"hailuo_mock_{family}_total"
        yield f"# HELP {name} {sentence}"
        yield f"# TYPE {name} counter"
        for values, count in getattr(counts, family).items():
            pairs = (
                f"{label}={_quoted(value)}" for label, value in zip(labels, values, strict=True)
            )
            yield f"{name}{{{','.join(pairs)}}} {count}"


def _quoted(value: str | int | None) -> str:
    """A label's value. The format escapes quotes, backslashes and line ends as JSON does."""
    return msgspec.json.encode(str(value or "none")).decode()
