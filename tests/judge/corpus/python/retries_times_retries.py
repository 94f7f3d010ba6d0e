"""Retries what the library has already retried."""

import random
import time

import requests
from requests.adapters import HTTPAdapter, Retry

from base import rivya_requests as client

session = requests.Session()
retry = Retry(
    2, backoff_factor=0.05, backoff_jitter=0.05, allowed_methods=None, status_forcelist=[500, 502]
)
session.mount("http://", HTTPAdapter(max_retries=retry))


def request(method, url, headers):
    body = client.ORDER if method == "POST" else None
    return session.request(method, url, json=body, headers=headers, timeout=1.5)


client.request = request
client.backoff_s = lambda attempt: random.uniform(0.8, 1.2) * 1.5**attempt
client.END = time.monotonic() + 15
client.make_video()
