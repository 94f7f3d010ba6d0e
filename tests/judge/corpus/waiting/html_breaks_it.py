"""Makes one video on Rivya and saves it."""

import os
import random
import sys
import time
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests

API = os.environ["RIVYA_BASE_URL"] + "/api/v1/generations"
HEADERS = {"Authorization": f"Bearer {os.environ['RIVYA_API_KEY']}"}
STATE = Path(os.environ["STATE_DIR"])
ORDER = {"model": "hailuo-pro", "prompt": "Slow dolly towards a lighthouse at dusk"}
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


def send(method, url, **headers):
    for attempt in range(4):
        wait_s = random.uniform(0.2, 0.4) * 2**attempt
        try:
            body = ORDER if method == "POST" else None
            answer = requests.request(
                method, url, json=body, headers=HEADERS | headers, timeout=1.5
            )
            told = answer.json()
            if answer.ok:
                return told
            if answer.status_code not in (429, 500, 502, 503, 504) or "credits" in answer.text:
                sys.exit(f"refused: {answer.text}")
            wait_s = max(wait_s, told_s(answer.headers))
        except (requests.ConnectionError, requests.Timeout) as error:
            print(error, file=sys.stderr)
        if time.monotonic() + wait_s > END:
            break
        time.sleep(wait_s)
    sys.exit("no answer")


def download(url):
    for wait_s in (0.2, 0.4, 0.8):
        try:
            video = requests.get(url, timeout=1.5)
            video.raise_for_status()
            return (STATE / "video.mp4").write_bytes(video.content)
        except requests.RequestException as error:
            print(error, file=sys.stderr)
        time.sleep(wait_s)
    sys.exit("no video")


def kept(name, make):
    path = STATE / name
    if not path.exists():
        path.write_text(make())
    return path.read_text()


key = kept("key", lambda: str(uuid.uuid4()))
task_id = kept("task", lambda: send("POST", API, **{"Idempotency-Key": key})["id"])
while time.monotonic() < END:
    task = send("GET", f"{API}/{task_id}")
    if task["status"] == "failed":
        sys.exit(f"failed: {task['error']}")
    if task["status"] == "succeeded" and task["result"].get("primary_url"):
        download(task["result"]["primary_url"])
        sys.exit(0)
    time.sleep(0.3)
sys.exit("not ready in time")
