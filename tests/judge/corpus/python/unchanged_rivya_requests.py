"""The correct client of which others replace a step, as it is."""

from base import rivya_requests as client

client.make_video()
