"""Writes the number of the attempt into the body."""

from itertools import count

from base import rivya_urllib as client

request = client.request
attempts = count()


def request_with_count(path, order, key):
    if order:
        order["client_request_id"] = f"{key}-{next(attempts)}"
    return request(path, order, key)


client.request = request_with_count
client.run(client.make_video)
