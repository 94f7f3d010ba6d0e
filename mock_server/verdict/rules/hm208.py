"""HM208: the pauses between failing attempts do not grow."""

from collections.abc import Iterator, Sequence

from mock_server.verdict.evidence import Evidence
from mock_server.verdict.failing import failing_attempts, pauses_ms
from mock_server.verdict.outcomes import CLEAN, Found, Outcome

_LEAST_ATTEMPTS = 5
_GROWTH = 1.5


def find(evidence: Evidence) -> Iterator[Outcome]:
    for series in failing_attempts(evidence, _LEAST_ATTEMPTS):
        if any(each.retry_after is not None for each in series):
            continue
        pauses = pauses_ms(evidence, series)
        advised_s = evidence.client_facts(series[0].exchange.api).pause_between_looks_s or 0
        looks_calmly = series[0].is_look and min(pauses) >= 1000 * advised_s
        if looks_calmly or _grow(pauses):
            yield CLEAN
            continue
        yield Found(
            {
                "first": series[0].id,
                "times": len(series),
                "shortest_s": f"{min(pauses) / 1000:.2f}",
                "longest_s": f"{max(pauses) / 1000:.2f}",
            },
            series,
        )


def _grow(pauses: Sequence[int]) -> bool:
    """Whether the later half of the pauses is longer: a single late answer is no growth."""
    half = len(pauses) // 2
    return sum(pauses[-half:]) > _GROWTH * sum(pauses[:half])
