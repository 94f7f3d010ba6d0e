"""Writes down that it has ordered, and not what."""

import uuid

from base import rivya_urllib as client

ORDERED = client.STATE / "ordered"


def make_video():
    if ORDERED.exists():
        print("This video was ordered before.")
        return
    ORDERED.touch()
    task_id = client.create(client.PROMPT, uuid.uuid4().hex)
    client.save(client.wait_for(task_id))


client.run(make_video)
