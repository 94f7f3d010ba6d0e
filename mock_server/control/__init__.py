"""The control door as a typed client, for a server here or elsewhere, or an app in this process.

```python
with Control("http://127.0.0.1:4010").world(clock="frozen") as world:
    with world.fault("lost_answer", times=1):
        ...  # your client, at world.rivya_url with world.rivya_key
    world.clock.advance(120)
    assert world.ledger("rivya-test").spent == 57
```

`AsyncControl` is the same with everything awaited.
"""

from mock_server.control.clock import AsyncClock, Clock
from mock_server.control.faults import AsyncFaults, FaultNeverHappened, Faults
from mock_server.control.inbox import AsyncInbox, Inbox
from mock_server.control.server import AsyncControl, Control
from mock_server.control.wire import ControlError
from mock_server.control.world import AsyncWorld, World

__all__ = [
    "AsyncClock",
    "AsyncControl",
    "AsyncFaults",
    "AsyncInbox",
    "AsyncWorld",
    "Clock",
    "Control",
    "ControlError",
    "FaultNeverHappened",
    "Faults",
    "Inbox",
    "World",
]
