"""The correct client of which others replace a step, as it is."""

from base import acedata_httpx as client

client.make_video()
