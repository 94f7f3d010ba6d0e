"""Makes one video on Rivya and saves it, with the standard library."""

import json
import os
import random
import sys
import time
import urllib.request
import uuid
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

from base.retry_after import told_s

BASE = os.environ["RIVYA_BASE_URL"] + "/api/v1"
STATE = Path(os.environ["STATE_DIR"])
END = time.monotonic() + 5
TIMEOUT_S = 1.5
PROMPT = "Rain on a tin roof"


class GiveUp(Exception):
    pass


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """With redirects urllib would send the key to any other host, too."""

    def redirect_request(self, *_):
        return None


api = urllib.request.build_opener(NoRedirects)


def run(main):
    """Call it, and end the program."""
    try:
        main()
    except GiveUp as reason:
        sys.exit(str(reason))


def make_video():
    """A restart continues the same job."""
    job_file = STATE / "job.json"
    job = json.loads(job_file.read_text()) if job_file.exists() else {"key": uuid.uuid4().hex}
    job_file.write_text(json.dumps(job))
    if "id" not in job:
        job["id"] = create(PROMPT, job["key"])
        job_file.write_text(json.dumps(job))
    save(wait_for(job["id"]))


def create(prompt, key):
    order = {"model": "hailuo-standard", "prompt": prompt}
    return ask("/generations", order, key)["id"]


def wait_for(task_id):
    """The URL of the video."""
    while time.monotonic() < END:
        task = look(task_id)
        if is_ready(task):
            return task["result"]["urls"][0]
        time.sleep(0.3)
    raise GiveUp("not ready in time")


def look(task_id):
    return ask(f"/generations/{task_id}")


def is_ready(task):
    if task["status"] == "failed":
        raise GiveUp(f"failed: {task['error']}")
    return task["status"] == "succeeded" and task["result"].get("urls")


def ask(path, order=None, key=None, attempts=4):
    """The answer to an order or to a look, after as many attempts as it takes."""
    for attempt in range(attempts):
        wait_s = 0.2 * 2**attempt + random.random() / 5
        try:
            return request(path, order, key)
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


def request(path, order, key):
    headers = {"Authorization": "Bearer " + os.environ["RIVYA_API_KEY"]}
    data = None
    if order:
        headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
        data = json.dumps(order).encode()
    with api.open(urllib.request.Request(BASE + path, data, headers), timeout=TIMEOUT_S) as answer:
        return json.load(answer)


def save(url):
    for pause_s in (0.2, 0.4, 0.8):
        try:
            return fetch(url, STATE / "video.mp4")
        except (OSError, HTTPException) as error:
            print(error, file=sys.stderr)
        time.sleep(pause_s)
    raise GiveUp("no video")


def fetch(url, path):
    with urllib.request.urlopen(url, timeout=1.5) as video:
        path.write_bytes(video.read())
