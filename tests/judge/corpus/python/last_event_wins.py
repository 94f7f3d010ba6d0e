"""Believes the last event, and orders again if it says that the task failed."""

from base import rivya_receiver as receiver
from base import rivya_requests as client

act = receiver.act


def order_again_or_act(event, headers):
    if event["type"] == "generation.failed":
        (client.STATE / "key").unlink(missing_ok=True)
        receiver.TASK.write_text(client.create())
    return act(event, headers)


receiver.act = order_again_or_act
receiver.serve()
