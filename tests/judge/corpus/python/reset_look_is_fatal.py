"""Retries what the server answers, and not a broken connection."""

from base import acedata_httpx as client

client.BROKEN = ValueError
client.make_video()
