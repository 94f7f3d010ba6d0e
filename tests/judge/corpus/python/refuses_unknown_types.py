"""Answers 400 to an event of a type that it does not know."""

from base import rivya_receiver as receiver

act = receiver.act


def act_or_refuse(event, headers):
    if event["type"] in ("generation.succeeded", "generation.failed"):
        return act(event, headers)
    return 400


receiver.act = act_or_refuse
receiver.serve()
