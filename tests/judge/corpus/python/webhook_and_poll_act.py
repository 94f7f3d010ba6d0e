"""Waits for the webhook and polls as well, and acts on both."""

import time

from base import rivya_receiver as receiver


def watch():
    while not receiver.is_done("poll"):
        time.sleep(0.5)
        receiver.save_if_ready()
    while True:
        time.sleep(60)


receiver.mark_of_event = lambda event, headers: "webhook"
receiver.mark_of_look = lambda task_id: "poll"
receiver.watch = watch
receiver.serve()
