"""Reads every answer as JSON, before it looks at the status."""

import requests

from base import rivya_requests as client

request = client.request


def request_json(method, url, headers):
    answer = request(method, url, headers)
    answer.json()
    return answer


client.request = request_json
client.BROKEN = (requests.ConnectionError, requests.Timeout)
client.make_video()
