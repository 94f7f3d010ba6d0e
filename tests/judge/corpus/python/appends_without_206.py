"""Appends to a part, also if the server sends the whole again."""

import requests

from base import rivya_requests as client


def fetch(url, path):
    have = path.stat().st_size if path.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with requests.get(url, headers=headers, timeout=1.5, stream=True) as video:
        video.raise_for_status()
        with path.open("ab") as file:
            for chunk in video.iter_content(256):
                file.write(chunk)


client.fetch = fetch
client.make_video()
