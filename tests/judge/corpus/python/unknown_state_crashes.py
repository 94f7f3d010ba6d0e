"""Crashes at a state that is not in its list."""

from enum import Enum

from base import rivya_urllib as client

is_ready = client.is_ready


class Status(Enum):
    QUEUED = "queued"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


def is_ready_in_known_state(task):
    Status(task["status"])  # raises ValueError
    return is_ready(task)


client.is_ready = is_ready_in_known_state
client.run(client.make_video)
