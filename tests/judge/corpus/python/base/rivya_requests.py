"""Makes one video on Rivya and saves it, with requests."""

import os
import random
import sys
import time
import uuid
from pathlib import Path

import requests

from base.retry_after import told_s

API = os.environ["RIVYA_BASE_URL"] + "/api/v1/generations"
HEADERS = {"Authorization": f"Bearer {os.environ['RIVYA_API_KEY']}"}
STATE = Path(os.environ["STATE_DIR"])
ORDER = {"model": "hailuo-pro", "prompt": "Slow dolly towards a lighthouse at dusk"}
END = time.monotonic() + 5
ATTEMPTS = 4
BROKEN = (requests.RequestException, ValueError)


def make_video():
    task = wait_for(kept("task", create))
    save(task["result"]["primary_url"])


def kept(name, make):
    """What an earlier run has made, or what is made now."""
    path = STATE / name
    if not path.exists():
        path.write_text(make())
    return path.read_text()


def create():
    key = kept("key", lambda: str(uuid.uuid4()))
    return send("POST", API, **{"Idempotency-Key": key})["id"]


def wait_for(task_id):
    while time.monotonic() < END:
        task = look(task_id)
        if is_ready(task):
            return task
        time.sleep(0.3)
    sys.exit("not ready in time")


def look(task_id):
    return send("GET", f"{API}/{task_id}")


def is_ready(task):
    if task["status"] == "failed":
        sys.exit(f"failed: {task['error']}")
    return task["status"] == "succeeded" and task["result"].get("primary_url")


def send(method, url, **headers):
    """The answer, after as many attempts as it takes."""
    headers = HEADERS | headers
    for attempt in range(ATTEMPTS):
        wait_s = backoff_s(attempt)
        try:
            answer = request(method, url, headers)
            if answer.ok:
                return answer.json()
            if is_final(answer):
                sys.exit(f"refused: {answer.text}")
            wait_s = max(wait_s, told_s(answer.headers))
        except BROKEN as error:
            print(error, file=sys.stderr)
        if time.monotonic() + wait_s > END:
            break
        time.sleep(wait_s)
    sys.exit("no answer")


def backoff_s(attempt):
    return random.uniform(0.2, 0.4) * 2**attempt


def request(method, url, headers):
    body = ORDER if method == "POST" else None
    return requests.request(method, url, json=body, headers=headers, timeout=1.5)


def is_final(answer):
    """Whether it is of no use to send the same again."""
    return answer.status_code not in (429, 500, 502, 503, 504) or "credits" in answer.text


def save(url):
    for wait_s in (0.2, 0.4, 0.8):
        try:
            return fetch(url, STATE / "video.mp4")
        except requests.RequestException as error:
            print(error, file=sys.stderr)
        time.sleep(wait_s)
    sys.exit("no video")


def fetch(url, path):
    video = requests.get(url, timeout=1.5)
    video.raise_for_status()
    path.write_bytes(video.content)
