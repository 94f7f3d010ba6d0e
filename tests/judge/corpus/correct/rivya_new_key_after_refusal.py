"""Makes one video on Rivya. An order that was surely refused is a new order the next time.

Some servers keep an error under its key and repeat it, so a refusal needs a new key. An order
whose fate is unknown keeps its key.
"""

import os
import random
import sys
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from uuid import uuid4

import requests

URL = os.environ["RIVYA_BASE_URL"] + "/api/v1/generations"
AUTH = {"Authorization": f"Bearer {os.environ['RIVYA_API_KEY']}"}
STATE = Path(os.environ["STATE_DIR"])
KEY, ID = STATE / "key", STATE / "id"
SURELY_NOT_MADE = {"rate_limited", "public_api_disabled"}
deadline = time.monotonic() + 5


def told_s(headers):
    """The seconds of Retry-After, which may be a date; an hour if nobody can read it."""
    told = headers.get("Retry-After", "0")
    try:
        if told.isdigit():
            return int(told)
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 3600


def wait(attempt, headers):
    seconds = max(0.25 * 2**attempt + random.random() / 5, told_s(headers))
    if time.monotonic() + seconds > deadline:
        sys.exit("Not ready in time; run me again.")
    time.sleep(seconds)


def code_of(answer):
    try:
        return answer.json()["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return None


def order():
    for attempt in range(5):
        if not KEY.exists():
            KEY.write_text(str(uuid4()))
        keyed = AUTH | {"Idempotency-Key": KEY.read_text()}
        headers = {}
        try:
            body = {"model": "hailuo-pro", "prompt": "Ink spreads in water"}
            answer = requests.post(URL, json=body, headers=keyed, timeout=1.5)
            if answer.ok:
                return answer.json()["id"]
            headers = answer.headers
            if code_of(answer) in SURELY_NOT_MADE:
                KEY.unlink()
            elif answer.status_code < 500:
                sys.exit(f"Refused: {answer.text[:200]}")
        except (requests.RequestException, ValueError, KeyError) as error:
            print(f"unknown whether it was ordered: {error!r}", file=sys.stderr)
        wait(attempt, headers)
    sys.exit("Five attempts failed.")


def look(task_id):
    for attempt in range(5):
        headers = {}
        try:
            answer = requests.get(f"{URL}/{task_id}", headers=AUTH, timeout=1.5)
            if answer.ok:
                return answer.json()
            if answer.status_code < 500 and answer.status_code != 429:
                sys.exit(f"Cannot look: {answer.text[:200]}")
            headers = answer.headers
        except (requests.RequestException, ValueError):
            pass
        wait(attempt, headers)
    sys.exit("Five looks failed.")


if not ID.exists():
    ID.write_text(order())
while (task := look(ID.read_text()))["status"] != "succeeded" or not task["result"]:
    if task["status"] == "failed":
        sys.exit(f"The job failed: {task['error']}")
    wait(0, {})
for attempt in range(3):
    try:
        video = requests.get(task["result"]["urls"][0], timeout=1.5)
        video.raise_for_status()
        (STATE / "video.mp4").write_bytes(video.content)
        break
    except requests.RequestException as error:
        print(repr(error), file=sys.stderr)
        wait(attempt, {})
else:
    sys.exit("The video cannot be downloaded.")
