"""Makes the key inside the loop that retries."""

import uuid

from base import rivya_requests as client

request = client.request


def request_with_new_key(method, url, headers):
    return request(method, url, headers | {"Idempotency-Key": str(uuid.uuid4())})


client.request = request_with_new_key
client.make_video()
