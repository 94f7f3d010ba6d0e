"""Retries every error but a few, and 402 is not one of them."""

from base import rivya_requests as client

client.is_final = lambda answer: answer.status_code in (400, 401, 403, 404, 409)
client.make_video()
