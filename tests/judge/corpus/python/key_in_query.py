"""Sends the key in the URL, beside the header."""

import os

from base import rivya_requests as client

request = client.request


def request_with_key(method, url, headers):
    return request(method, f"{url}?api_key={os.environ['RIVYA_API_KEY']}", headers)


client.request = request_with_key
client.make_video()
