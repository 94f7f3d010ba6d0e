"""Writes down that an event is done before it has worked."""

from base import rivya_receiver as receiver

SEEN = receiver.STATE / "seen"


def is_done(mark):
    if SEEN.exists() and mark in SEEN.read_text():
        return True
    SEEN.write_text(mark)
    return False


receiver.is_done = is_done
receiver.serve()
