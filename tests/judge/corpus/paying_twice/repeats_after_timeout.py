"""Makes one video on Ace Data Cloud and saves it, with httpx."""

import os
import random
import sys
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

STATE = Path(os.environ["STATE_DIR"])
END = time.monotonic() + 5
api = httpx.Client(
    base_url=os.environ["ACEDATA_BASE_URL"],
    headers={"Authorization": f"Bearer {os.environ['ACEDATA_API_TOKEN']}"},
    timeout=1.5,
)


def told_s(headers):
    """The seconds of Retry-After, which may be a date; an hour if nobody can read it."""
    told = headers.get("Retry-After", "0")
    try:
        if told.isdigit():
            return int(told)
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 3600


def pause(attempt, headers):
    wait_s = max(random.uniform(0.2, 0.4) * 2**attempt, told_s(headers))
    if time.monotonic() + wait_s > END:
        sys.exit("not ready in time")
    time.sleep(wait_s)


def create(prompt):
    order = {"action": "generate", "prompt": prompt, "async": True}
    for attempt in range(4):
        try:
            answer = api.post("/hailuo/videos", json=order)
        except httpx.HTTPError as error:
            print(repr(error), file=sys.stderr)
            pause(attempt, {})
            continue
        if answer.is_success:
            return answer.json()["task_id"]
        if answer.status_code != 429 or "used_up" in answer.text:
            sys.exit(f"refused: {answer.text}")
        pause(attempt, answer.headers)
    sys.exit("too many requests")


def look(task_id):
    for attempt in range(4):
        headers = {}
        try:
            answer = api.post("/hailuo/tasks", json={"action": "retrieve", "id": task_id})
            if answer.is_success:
                return answer.json()["response"]
            if answer.status_code != 429 and answer.status_code < 500:
                sys.exit(f"cannot look: {answer.text}")
            headers = answer.headers
        except (httpx.HTTPError, ValueError) as error:
            print(repr(error), file=sys.stderr)
        pause(attempt, headers)
    sys.exit("cannot look")


def save(url):
    for attempt in range(3):
        try:
            video = httpx.get(url, timeout=1.5).raise_for_status()
            return (STATE / "video.mp4").write_bytes(video.content)
        except httpx.HTTPError as error:
            print(repr(error), file=sys.stderr)
        time.sleep(0.2 * 2**attempt)
    sys.exit("no video")


id_file = STATE / "task_id"
if not id_file.exists():
    id_file.write_text("")
    id_file.write_text(create("Paper boats on a pond"))
task_id = id_file.read_text() or sys.exit("perhaps ordered by an earlier run")
while True:
    response = look(task_id)
    if response.get("success") is False:
        sys.exit(f"failed: {response['error']}")
    if response.get("success") and response["data"][0].get("video_url"):
        break
    pause(0, {})
save(response["data"][0]["video_url"])
