"""Has its own pauses and does not read Retry-After."""

from base import rivya_requests as client

client.told_s = lambda headers: 0
client.make_video()
