"""Makes one video on Rivya with the standard library alone."""

import json
import os
import random
import sys
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path

STATE = Path(os.environ["STATE_DIR"])


class OutOfTime(Exception):
    pass


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """With redirects urllib would send the key to any other host, too."""

    def redirect_request(self, *_):
        return None


def told_s(headers):
    """The seconds of Retry-After, which may be a date; an hour if nobody can read it."""
    told = headers.get("Retry-After", "0")
    try:
        if told.isdigit():
            return int(told)
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 3600


class Rivya:
    RETRIED = {429, 500, 502, 503, 504}

    def __init__(self, base_url, key, limit_s=5):
        self.base_url = base_url
        self.key = key
        self.end = time.monotonic() + limit_s
        self.opener = urllib.request.build_opener(NoRedirects)

    def sleep(self, seconds):
        if time.monotonic() + seconds > self.end:
            raise OutOfTime
        time.sleep(seconds)

    def ask(self, method, path, body=None, **headers):
        headers["Authorization"] = f"Bearer {self.key}"
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        wait_s = 0.2
        for _ in range(5):
            asked_s = 0
            try:
                request = urllib.request.Request(self.base_url + path, body, headers, method=method)
                with self.opener.open(request, timeout=1.5) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                text = error.read().decode(errors="replace")
                if error.code not in self.RETRIED or "credits" in text:
                    sys.exit(f"{method} {path}: {error.code} {text[:200]}")
                asked_s = told_s(error.headers)
            except (OSError, HTTPException, ValueError) as error:
                print(f"{method} {path}: {error!r}", file=sys.stderr)
            self.sleep(max(wait_s * random.uniform(0.6, 1.4), asked_s))
            wait_s *= 2
        sys.exit(f"{method} {path}: no answer after five attempts")

    def create(self, order, key):
        return self.ask("POST", "/api/v1/generations", order, **{"Idempotency-Key": key})["id"]

    def wait(self, task_id):
        while True:
            task = self.ask("GET", f"/api/v1/generations/{task_id}")
            if task["status"] == "failed":
                sys.exit(f"failed: {task.get('error')}")
            result = task.get("result") or {}
            if task["status"] == "succeeded" and result.get("urls"):
                return result["urls"][0]
            self.sleep(0.3)


def save(url, path):
    """Download in three attempts; http.client raises IncompleteRead if bytes are missing."""
    for wait_s in (0.2, 0.5, 1):
        try:
            with urllib.request.urlopen(url, timeout=1.5) as answer:
                path.write_bytes(answer.read())
                return
        except (OSError, HTTPException) as error:
            print(f"download: {error!r}", file=sys.stderr)
            time.sleep(wait_s)
    sys.exit("download failed")


if __name__ == "__main__":
    rivya = Rivya(os.environ["RIVYA_BASE_URL"], os.environ["RIVYA_API_KEY"])
    key_file, id_file = STATE / "key", STATE / "task_id"
    if not key_file.exists():
        key_file.write_text(uuid.uuid4().hex)
    try:
        if not id_file.exists():
            order = {"model": "hailuo-standard", "prompt": "Rain on a tin roof, close-up"}
            id_file.write_text(rivya.create(order, key_file.read_text()))
        save(rivya.wait(id_file.read_text()), STATE / "video.mp4")
    except OutOfTime:
        sys.exit("out of time; run me again to continue")
