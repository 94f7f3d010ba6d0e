"""Gives up at every 4xx, at 429 too."""

from base import rivya_requests as client

client.is_final = lambda answer: answer.status_code < 500 or "credits" in answer.text
client.make_video()
