"""The kinds of Rivya's ids."""

import re

from mock_server.core.apis import IdKind

TASK = IdKind(
    re.compile("task_"), "one of Rivya's generations: GET /api/v1/generations/{id} shows it"
)
FILE = IdKind(re.compile("file_"), "a file: GET /api/v1/files/{id} shows it")
ENDPOINT = IdKind(re.compile("whend_"), "a webhook endpoint: GET /api/v1/webhooks/{id} shows it")
_EVENT = IdKind(re.compile("evt_"), "an event: GET /api/v1/webhook-events lists them")
_DELIVERY = IdKind(
    re.compile("whdel_"), "a webhook delivery: GET /api/v1/webhooks/{id}/deliveries lists them"
)
KINDS = (TASK, FILE, ENDPOINT, _EVENT, _DELIVERY)
