"""Follows redirects with the key, which urllib sends to every host."""

from urllib.request import build_opener

from base import rivya_urllib as client

client.api = build_opener()
client.run(client.make_video)
