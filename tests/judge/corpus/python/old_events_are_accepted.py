"""Does not look at the time of a signature."""

from base import rivya_receiver as receiver

receiver.is_recent = lambda signed_at: True
receiver.serve()
