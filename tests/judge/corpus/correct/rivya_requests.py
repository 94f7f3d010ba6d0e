"""Makes one video on Rivya and saves it. A restart continues the same job."""

import json
import os
import random
import sys
import time
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests

BASE = os.environ["RIVYA_BASE_URL"]
STATE = Path(os.environ["STATE_DIR"])
JOB = STATE / "job.json"
VIDEO = STATE / "video.mp4"
ORDER = {"model": "hailuo-pro", "prompt": "Slow dolly towards a lighthouse at dusk"}
END = time.monotonic() + 5

api = requests.Session()
api.headers["Authorization"] = f"Bearer {os.environ['RIVYA_API_KEY']}"


def retry_after_s(answer):
    told = answer.headers.get("Retry-After", "") if answer is not None else ""
    if told.isdigit():
        return int(told)
    try:
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return 0


def pause(attempt, answer=None):
    wait_s = max(0.2 * 2**attempt * random.uniform(0.5, 1), retry_after_s(answer))
    if time.monotonic() + wait_s > END:
        sys.exit("Gave up: no time is left.")
    time.sleep(wait_s)


def call(method, path, **options):
    for attempt in range(5):
        answer = None
        try:
            answer = api.request(method, BASE + path, timeout=1.5, **options)
            if answer.ok:
                return answer.json()
            code = answer.json()["error"]["code"]
        except (requests.RequestException, ValueError, KeyError, TypeError):
            code = "no JSON"
        if code == "insufficient_credits":
            sys.exit("No credits are left.")
        if answer is not None and answer.status_code not in (200, 429, 500, 502, 503, 504):
            sys.exit(f"Refused: {answer.status_code} {code}")
        pause(attempt, answer)
    sys.exit("Gave up: too many attempts.")


def download(url):
    for attempt in range(4):
        answer = None
        try:
            answer = requests.get(url, timeout=1.5)  # without the key: another host
            if answer.ok and len(answer.content) == int(answer.headers["Content-Length"]):
                return VIDEO.write_bytes(answer.content)
        except requests.RequestException as error:
            print(error, file=sys.stderr)
        pause(attempt, answer)
    sys.exit("The download failed.")


job = json.loads(JOB.read_text()) if JOB.exists() else {"key": str(uuid.uuid4()), "id": None}
JOB.write_text(json.dumps(job))
if not job["id"]:
    keyed = {"Idempotency-Key": job["key"]}
    job["id"] = call("POST", "/api/v1/generations", json=ORDER, headers=keyed)["id"]
    JOB.write_text(json.dumps(job))
while True:
    task = call("GET", f"/api/v1/generations/{job['id']}")
    if task["status"] == "failed":
        sys.exit(f"The job failed: {task['error']}")
    if task["status"] == "succeeded" and task["result"] and task["result"].get("primary_url"):
        break
    pause(1)
download(task["result"]["primary_url"])
print(f"Saved {VIDEO}")
