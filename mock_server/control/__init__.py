"""A typed client of the control door, for a server at a URL or an app in this process.

```python
with Control("http://127.0.0.1:4010").world(clock="frozen") as world:
    with world.fault("lost_answer", times=1):
        ...  # your client, at world.rivya_url with world.rivya_key
    world.clock.advance(120)
    assert world.ledger("rivya-test").spent == 57
```

`AsyncControl` has the same methods, to be awaited.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mock_server.control.faults import FaultNeverHappened
    from mock_server.control.server import AsyncControl, Control
    from mock_server.control.transport import ControlError
    from mock_server.control.world import (
        AsyncClock,
        AsyncFaults,
        AsyncInbox,
        AsyncWorld,
        Clock,
        Faults,
        Inbox,
        World,
    )

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


def __getattr__(name: str) -> Any:
    """Imports a class at its first use: the server imports only `answers`, not the client."""
    if name in __all__:
        for module in map(import_module, _MODULES):
            if name in vars(module):
                return vars(module)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_MODULES = [f"{__name__}.{each}" for each in ("server", "world", "faults", "transport")]
