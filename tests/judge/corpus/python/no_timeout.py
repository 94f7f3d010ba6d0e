"""Has no time limit for a request."""

from base import rivya_urllib as client

client.TIMEOUT_S = None
client.run(client.make_video)
