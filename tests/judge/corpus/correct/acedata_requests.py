"""Makes one video on Ace Data Cloud. A create that may have been charged is never repeated."""

import json
import os
import random
import sys
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests

BASE = os.environ["ACEDATA_BASE_URL"].rstrip("/")
HEADERS = {"Authorization": f"Bearer {os.environ['ACEDATA_API_TOKEN']}"}
STATE = Path(os.environ["STATE_DIR"])
ORDER = STATE / "order.json"
END = time.monotonic() + 5


def told_s(headers):
    """The seconds of Retry-After, which may be a date; an hour if nobody can read it."""
    told = headers.get("Retry-After", "0")
    try:
        if told.isdigit():
            return int(told)
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 3600


def sleep(seconds):
    if time.monotonic() + seconds > END:
        sys.exit("out of time")
    time.sleep(seconds)


def create(prompt):
    """The id of the task. Only 429 is tried again: it says that nothing was made."""
    body = {"action": "generate", "model": "minimax-t2v", "prompt": prompt, "async": True}
    for attempt in range(4):
        try:
            answer = requests.post(f"{BASE}/hailuo/videos", json=body, headers=HEADERS, timeout=1.5)
            if answer.ok:
                return answer.json()["task_id"]
        except (requests.RequestException, ValueError, KeyError) as error:
            sys.exit(f"The order may have been charged; look before you repeat it: {error}")
        if answer.status_code != 429 or "used_up" in answer.text:
            sys.exit(f"Refused: {answer.status_code} {answer.text[:200]}")
        sleep(max(told_s(answer.headers), 2**attempt * random.uniform(0.2, 0.4)))
    sys.exit("Refused four times.")


def look(task_id):
    """The task. Looking is free, so each broken answer is asked for again."""
    body = {"action": "retrieve", "id": task_id}
    for attempt in range(5):
        headers = {}
        try:
            answer = requests.post(f"{BASE}/hailuo/tasks", json=body, headers=HEADERS, timeout=1.5)
            if answer.ok:
                return answer.json()
            if answer.status_code not in (429, 500, 502, 503, 504):
                sys.exit(f"Cannot look: {answer.status_code} {answer.text[:200]}")
            headers = answer.headers
        except (requests.RequestException, ValueError):
            pass
        sleep(max(told_s(headers), 2**attempt * random.uniform(0.2, 0.4)))
    sys.exit("Cannot look: five attempts failed.")


def result(task_id):
    while True:
        response = look(task_id).get("response") or {}
        if response.get("success") is False:
            sys.exit(f"The job failed: {response.get('error')}")
        if response.get("success") and response["data"][0].get("video_url"):
            return response["data"][0]["video_url"]
        sleep(0.4)


if not ORDER.exists():
    ORDER.write_text("{}")
    ORDER.write_text(json.dumps({"task_id": create("Paper boats on a pond")}))
task_id = json.loads(ORDER.read_text()).get("task_id")
if not task_id:
    sys.exit("The last run ended while it was ordering. Look at the account before you go on.")
url = result(task_id)
for pause_s in (0.2, 0.4, 0.8):
    try:
        video = requests.get(url, timeout=1.5)
        if video.ok and len(video.content) == int(video.headers["Content-Length"]):
            (STATE / "video.mp4").write_bytes(video.content)
            sys.exit(0)
    except requests.RequestException as error:
        print(error, file=sys.stderr)
    time.sleep(pause_s)
sys.exit("The video cannot be downloaded.")
