"""Takes a conflict for a key that is used up, and makes a new one."""

import uuid

from base import rivya_requests as client

request = client.request


def request_until_no_conflict(method, url, headers):
    while (answer := request(method, url, headers)).status_code == 409:
        headers["Idempotency-Key"] = str(uuid.uuid4())
    return answer


client.request = request_until_no_conflict
client.make_video()
