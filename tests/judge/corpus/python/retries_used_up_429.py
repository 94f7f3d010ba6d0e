"""Retries every 429, also if it says that there are no credits."""

from base import rivya_requests as client

client.is_final = lambda answer: answer.status_code not in (429, 500, 502, 503, 504)
client.make_video()
