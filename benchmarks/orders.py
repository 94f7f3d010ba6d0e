"""Makes orders for tasks that are put into a world without a request."""

from __future__ import annotations

import json

from benchmarks import messages
from mock_server.core.tasks import Order


def generation_order(number: int) -> Order:
    """An order for a generation. No two numbers have the same request."""
    return Order(
        api="rivya",
        account="rivya",
        key=messages.RIVYA_KEY,
        model="hailuo-pro",
        price_credits=57,
        request=json.dumps(messages.MINIMAL | {"client_request_id": str(number)}).encode(),
        base_url=f"http://127.0.0.1:{number % 50_000}",
    )


def video_order(callback_url: str) -> Order:
    """An order for a video with a callback."""
    return Order(
        api="acedata",
        account="acedata",
        key=messages.ACEDATA_TOKEN,
        model="minimax-t2v",
        price_credits=1,
        request=json.dumps(messages.VIDEO | {"callback_url": callback_url}).encode(),
        base_url="http://127.0.0.1",
        callback_url=callback_url,
    )
