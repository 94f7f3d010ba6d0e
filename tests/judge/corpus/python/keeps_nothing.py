"""Keeps nothing: a restart orders again."""

from base import rivya_requests as client

client.kept = lambda name, make: make()
client.make_video()
