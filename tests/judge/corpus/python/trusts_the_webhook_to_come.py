"""Waits for the webhook and never looks at the task."""

import threading

from base import rivya_receiver as receiver

receiver.watch = threading.Event().wait
receiver.serve()
