"""Retries at the same short pace, however often it fails."""

import random

from base import rivya_requests as client

client.ATTEMPTS = 15
client.backoff_s = lambda attempt: random.uniform(0.1, 0.15)
client.make_video()
