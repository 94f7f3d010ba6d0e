"""Makes one video on Rivya with httpx; tenacity does the retries."""

import os
import sys
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
from tenacity import (
    RetryError,
    retry,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

STATE = Path(os.environ["STATE_DIR"])
ORDER = {"model": "hailuo-pro", "prompt": "A paper boat crosses a pond"}
TEMPORARY = {429, 500, 502, 503, 504}
backoff = wait_random_exponential(multiplier=0.3, max=3)


def told_s(headers):
    """The seconds of Retry-After, which may be a date; an hour if nobody can read it."""
    told = headers.get("Retry-After", "0")
    try:
        if told.isdigit():
            return int(told)
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 3600


class Temporary(Exception):
    def __init__(self, reason, wait_s=0.0):
        super().__init__(reason)
        self.wait_s = wait_s


class Pending(Exception):
    pass


def wait_s(state):
    """The back-off, or what the server told if that is longer."""
    told = getattr(state.outcome.exception(), "wait_s", 0.0)
    return max(0.1 + backoff(state), told)


patient = retry(
    retry=retry_if_exception_type((Temporary, httpx.TransportError)),
    wait=wait_s,
    stop=stop_after_attempt(5) | stop_after_delay(4),
)


def read(answer):
    if answer.status_code in TEMPORARY:
        if "credits" in answer.text:
            sys.exit(f"no credits: {answer.text}")
        if told_s(answer.headers) > 5:
            sys.exit("told to wait too long for this run")
        raise Temporary(f"{answer.status_code} {answer.text[:80]}", told_s(answer.headers))
    if answer.is_error:
        sys.exit(f"refused: {answer.status_code} {answer.text[:200]}")
    try:
        return answer.json()
    except ValueError as error:
        raise Temporary("the answer is not JSON") from error


@patient
def create(client, key):
    headers = {"Idempotency-Key": key}
    return read(client.post("/api/v1/generations", json=ORDER, headers=headers))["id"]


@patient
def look(client, task_id):
    return read(client.get(f"/api/v1/generations/{task_id}"))


@retry(
    retry=retry_if_exception_type(Pending),
    wait=wait_random_exponential(multiplier=0.3, min=0.25, max=1),
    stop=stop_after_delay(5),
)
def finished(client, task_id):
    task = look(client, task_id)
    if task["status"] == "failed":
        sys.exit(f"failed: {task['error']}")
    if task["status"] != "succeeded" or not (task.get("result") or {}).get("primary_url"):
        raise Pending(task["status"])
    return task["result"]["primary_url"]


@patient
def download(url):
    """httpx raises RemoteProtocolError if the body is shorter than its Content-Length."""
    answer = httpx.get(url, timeout=1.5)
    if answer.is_error:
        raise Temporary(f"{answer.status_code} for the video")
    (STATE / "video.mp4").write_bytes(answer.content)


def once(name, value):
    """The value kept in a file under that name; the first run makes it."""
    path = STATE / name
    if not path.exists():
        path.write_text(value())
    return path.read_text()


key = once("idempotency-key", lambda: str(uuid.uuid4()))
authorization = {"Authorization": f"Bearer {os.environ['RIVYA_API_KEY']}"}
with httpx.Client(base_url=os.environ["RIVYA_BASE_URL"], headers=authorization, timeout=1.5) as api:
    try:
        task_id = once("task-id", lambda: create(api, key))
        download(finished(api, task_id))
    except RetryError as error:
        sys.exit(f"gave up: {error}")
