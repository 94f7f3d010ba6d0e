"""Gives up at every 4xx, at 429 too."""

from base import acedata_httpx as client

client.is_final_for_order = lambda answer: True
client.is_final_for_look = lambda answer: answer.status_code < 500
client.make_video()
