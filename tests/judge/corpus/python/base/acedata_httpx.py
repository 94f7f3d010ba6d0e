"""Makes one video on Ace Data Cloud and saves it, with httpx."""

import os
import random
import sys
import time
from pathlib import Path

import httpx

from base.retry_after import told_s

STATE = Path(os.environ["STATE_DIR"])
END = time.monotonic() + 5
BROKEN = (httpx.HTTPError, ValueError)
api = httpx.Client(
    base_url=os.environ["ACEDATA_BASE_URL"],
    headers={"Authorization": f"Bearer {os.environ['ACEDATA_API_TOKEN']}"},
    timeout=1.5,
)


def make_video():
    """Make a video. A restart continues the same job, or ends if its id is not known."""
    id_file = STATE / "task_id"
    if not id_file.exists():
        id_file.write_text("")
        id_file.write_text(create("Paper boats on a pond"))
    save(wait_for(id_file.read_text() or sys.exit("perhaps ordered by an earlier run")))


def create(prompt):
    order = {"action": "generate", "prompt": prompt, "async": True}
    for attempt in range(4):
        answer = send_order(order)
        if answer.is_success:
            return answer.json()["task_id"]
        if is_final_for_order(answer):
            sys.exit(f"refused: {answer.text}")
        pause(attempt, answer.headers)
    sys.exit("too many requests")


def send_order(order):
    try:
        return api.post("/hailuo/videos", json=order)
    except httpx.HTTPError as error:
        sys.exit(f"perhaps ordered, so not ordered again: {error!r}")


def is_final_for_order(answer):
    """Whether it is of no use to order again. Only 429 says that nothing was made."""
    return answer.status_code != 429 or "used_up" in answer.text


def wait_for(task_id):
    """The URL of the video."""
    while True:
        response = look(task_id)
        if response.get("success") is False:
            sys.exit(f"failed: {response['error']}")
        if response.get("success") and response["data"][0].get("video_url"):
            return response["data"][0]["video_url"]
        pause_between_looks()


def look(task_id):
    for attempt in range(4):
        headers = {}
        try:
            answer = api.post("/hailuo/tasks", json={"action": "retrieve", "id": task_id})
            if answer.is_success:
                return answer.json()["response"]
            if is_final_for_look(answer):
                sys.exit(f"cannot look: {answer.text}")
            headers = answer.headers
        except BROKEN as error:
            print(repr(error), file=sys.stderr)
        pause(attempt, headers)
    sys.exit("cannot look")


def is_final_for_look(answer):
    """Whether it is of no use to look again."""
    return answer.status_code != 429 and answer.status_code < 500


def pause_between_looks():
    pause(0, {})


def pause(attempt, headers):
    wait_s = max(random.uniform(0.2, 0.4) * 2**attempt, told_s(headers))
    if time.monotonic() + wait_s > END:
        sys.exit("not ready in time")
    time.sleep(wait_s)


def save(url):
    for attempt in range(3):
        try:
            video = httpx.get(url, timeout=1.5).raise_for_status()
            return (STATE / "video.mp4").write_bytes(video.content)
        except httpx.HTTPError as error:
            print(repr(error), file=sys.stderr)
        time.sleep(0.2 * 2**attempt)
    sys.exit("no video")
