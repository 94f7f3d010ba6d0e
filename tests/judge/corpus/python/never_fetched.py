"""Prints the URL of the video, and does not fetch it."""

from base import rivya_requests as client

client.save = print
client.make_video()
