"""Waits for its job without any limit."""

import time

from base import rivya_requests as client


def wait_for(task_id):
    while not client.is_ready(task := client.look(task_id)):
        time.sleep(0.3)
    return task


client.wait_for = wait_for
client.make_video()
