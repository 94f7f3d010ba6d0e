"""Is content with success, and does not miss the video."""

import sys

from base import rivya_requests as client


def is_ready(task):
    if task["status"] == "failed":
        sys.exit(f"failed: {task['error']}")
    return task["status"] == "succeeded"


client.is_ready = is_ready
task = client.wait_for(client.kept("task", client.create))
for url in (task["result"] or {}).get("urls") or []:
    client.save(url)
print("Done.")
