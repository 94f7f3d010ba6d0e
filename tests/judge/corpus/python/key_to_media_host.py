"""Sends the key with every request, also to the host of the video."""

from base import rivya_requests as client


def fetch(url, path):
    video = client.request("GET", url, client.HEADERS)
    video.raise_for_status()
    path.write_bytes(video.content)


client.fetch = fetch
client.make_video()
