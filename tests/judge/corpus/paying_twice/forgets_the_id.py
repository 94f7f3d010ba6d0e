"""Makes one video on Rivya and saves it, with the standard library."""

import json
import os
import random
import sys
import time
import urllib.request
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

BASE = os.environ["RIVYA_BASE_URL"] + "/api/v1"
STATE = Path(os.environ["STATE_DIR"])
END = time.monotonic() + 5


class GiveUp(Exception):
    pass


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


api = urllib.request.build_opener(NoRedirects)


def told_s(headers):
    """The seconds of Retry-After, which may be a date; an hour if nobody can read it."""
    told = headers.get("Retry-After", "0")
    try:
        if told.isdigit():
            return int(told)
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 3600


def ask(path, order=None, key=None):
    headers = {"Authorization": "Bearer " + os.environ["RIVYA_API_KEY"]}
    data = None
    if order:
        headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
        data = json.dumps(order).encode()
    for attempt in range(4):
        wait_s = 0.2 * 2**attempt + random.random() / 5
        try:
            request = urllib.request.Request(BASE + path, data, headers)
            with api.open(request, timeout=1.5) as answer:
                return json.load(answer)
        except HTTPError as error:
            text = error.read().decode()
            if (error.code != 429 and error.code < 500) or "credits" in text:
                raise GiveUp(f"{error.code}: {text}") from error
            wait_s = max(wait_s, told_s(error.headers))
        except (OSError, HTTPException, ValueError) as error:
            print(error, file=sys.stderr)
        if time.monotonic() + wait_s > END:
            break
        time.sleep(wait_s)
    raise GiveUp(f"no answer to {path}")


def wait_for(task_id):
    while time.monotonic() < END:
        task = ask(f"/generations/{task_id}")
        if task["status"] == "succeeded" and task["result"].get("urls"):
            return task["result"]["urls"][0]
        if task["status"] == "failed":
            raise GiveUp(f"failed: {task['error']}")
        time.sleep(0.3)
    raise GiveUp("not ready in time")


def download(url):
    for pause_s in (0.2, 0.4, 0.8):
        try:
            with urllib.request.urlopen(url, timeout=1.5) as video:
                (STATE / "video.mp4").write_bytes(video.read())
                return
        except (OSError, HTTPException) as error:
            print(error, file=sys.stderr)
        time.sleep(pause_s)
    raise GiveUp("no video")


def main():
    done = STATE / "ordered"
    if done.exists():
        print("This video was ordered before.")
        return
    done.touch()
    order = {"model": "hailuo-standard", "prompt": "Rain on a tin roof"}
    task = ask("/generations", order, uuid.uuid4().hex)
    download(wait_for(task["id"]))


try:
    main()
except GiveUp as reason:
    sys.exit(str(reason))
