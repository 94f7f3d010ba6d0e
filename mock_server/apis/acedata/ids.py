"""The ids of Ace Data Cloud's tasks."""

import re

from mock_server.core.apis import IdKind

TASK = IdKind(
    re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE),
    "one of Ace Data Cloud's tasks or traces: POST /hailuo/tasks shows a task",
)
