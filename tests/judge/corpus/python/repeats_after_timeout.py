"""Sends an order again if there was no answer, on an API without keys."""

import sys

import httpx

from base import acedata_httpx as client


def send_order(order):
    for attempt in range(4):
        try:
            return client.api.post("/hailuo/videos", json=order)
        except httpx.HTTPError as error:
            print(repr(error), file=sys.stderr)
        client.pause(attempt, {})
    sys.exit("no answer")


client.send_order = send_order
client.make_video()
