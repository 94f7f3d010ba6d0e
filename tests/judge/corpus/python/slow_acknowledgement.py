"""Tells a slow service about each event before it answers."""

import time

from base import rivya_receiver as receiver

act = receiver.act


def tell_and_act(event, headers):
    if event["type"] == "generation.succeeded":
        time.sleep(6)  # tells a chat about it; the chat is slow
    return act(event, headers)


receiver.act = tell_and_act
receiver.serve()
