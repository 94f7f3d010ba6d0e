"""Sleeps as long as Retry-After says, however long that is."""

import time

from base import rivya_urllib as client
from base.retry_after import told_s


def told_s_slept(headers):
    """What is still to be waited."""
    time.sleep(told_s(headers))
    return 0


client.told_s = told_s_slept
client.run(client.make_video)
