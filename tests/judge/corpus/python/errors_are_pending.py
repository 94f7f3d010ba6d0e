"""Takes every error of a look for a job that is not ready."""

import requests

from base import rivya_requests as client

PENDING = {"status": "queued"}


def look(task_id):
    try:
        answer = client.request("GET", f"{client.API}/{task_id}", client.HEADERS)
        return PENDING | answer.json()
    except (requests.RequestException, ValueError):
        return PENDING


client.look = look
client.make_video()
