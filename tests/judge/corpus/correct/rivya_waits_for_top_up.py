"""Makes one video on Rivya. Without credits it waits until somebody has bought more."""

import json
import os
import random
import sys
import time
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener, urlopen

STATE = Path(os.environ["STATE_DIR"])
DEADLINE = time.monotonic() + 5
ORDER = {"model": "hailuo-standard", "prompt": "A wheat field before a storm"}


class NoRedirects(HTTPRedirectHandler):
    """With redirects urllib would send the key to any other host, too."""

    def redirect_request(self, *_):
        return None


api = build_opener(NoRedirects)


def told_s(headers):
    """The seconds of Retry-After, which may be a date; an hour if nobody can read it."""
    told = headers.get("Retry-After", "0")
    try:
        if told.isdigit():
            return int(told)
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 3600


def wait(seconds):
    if time.monotonic() + seconds > DEADLINE:
        sys.exit("No time is left; the next run goes on from here.")
    time.sleep(seconds)


def rivya(method, path, body=None, key=None):
    """The status and the answer: 2xx or a final refusal. What may pass is tried again."""
    headers = {"Authorization": f"Bearer {os.environ['RIVYA_API_KEY']}"}
    if body:
        headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
        body = json.dumps(body).encode()
    url = f"{os.environ['RIVYA_BASE_URL']}/api/v1{path}"
    for attempt in range(6):
        asked_s = 0
        try:
            with api.open(Request(url, body, headers, method=method), timeout=1.5) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            text = error.read().decode(errors="replace")
            if "insufficient_credits" in text:
                return 402, text
            if error.code != 429 and error.code < 500:
                return error.code, text
            asked_s = told_s(error.headers)
        except (OSError, HTTPException, ValueError) as error:
            print(f"{path}: {error!r}", file=sys.stderr)
        wait(max(asked_s, random.uniform(0.2, 0.3) * 2**attempt))
    sys.exit(f"{path}: six attempts failed")


def create(key):
    while True:
        status, answer = rivya("POST", "/generations", ORDER, key)
        if status == 200:
            return answer["id"]
        if status != 402:
            sys.exit(f"Refused: {status} {answer}")
        _, at_refusal = rivya("GET", "/credits")
        print("Please buy credits; waiting.", file=sys.stderr)
        while rivya("GET", "/credits")[1]["current_credits"] <= at_refusal["current_credits"]:
            wait(0.5)


def kept(name, make):
    path = STATE / name
    if not path.exists():
        path.write_text(make())
    return path.read_text()


key = kept("key", lambda: uuid.uuid4().hex)
task_id = kept("id", lambda: create(key))
while True:
    status, task = rivya("GET", f"/generations/{task_id}")
    if status != 200 or task["status"] == "failed":
        sys.exit(f"No video: {task}")
    if task["status"] == "succeeded" and task["result"]:
        break
    wait(0.3)
for attempt in range(3):
    try:
        with urlopen(task["result"]["primary_url"], timeout=1.5) as video:
            (STATE / "video.mp4").write_bytes(video.read())
        sys.exit(0)
    except (OSError, HTTPException) as error:
        print(f"download: {error!r}", file=sys.stderr)
    wait(0.2 * 2**attempt)
sys.exit("The video cannot be downloaded.")
