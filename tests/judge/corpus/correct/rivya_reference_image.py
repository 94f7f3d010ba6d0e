"""Uploads a picture of two megabytes to Rivya and makes a video that begins with it."""

import os
import random
import struct
import sys
import time
import uuid
import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import requests

STATE = Path(os.environ["STATE_DIR"])
END = time.monotonic() + 6
rivya = requests.Session()
rivya.headers["Authorization"] = f"Bearer {os.environ['RIVYA_API_KEY']}"


def picture():
    """A PNG of random dots."""

    def chunk(kind, data):
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    side = 800
    rows = b"".join(b"\0" + os.urandom(side * 3) for _ in range(side))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")
    )


def told_s(headers):
    """The seconds of Retry-After, which may be a date; an hour if nobody can read it."""
    told = headers.get("Retry-After", "0")
    try:
        if told.isdigit():
            return int(told)
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 3600


def ask(method, path, **options):
    for attempt in range(5):
        headers = {}
        try:
            url = f"{os.environ['RIVYA_BASE_URL']}/api/v1{path}"
            answer = rivya.request(method, url, timeout=2, **options)
            if answer.ok:
                return answer.json()
            if answer.status_code not in (429, 500, 502, 503, 504) or "credits" in answer.text:
                sys.exit(f"{path}: {answer.status_code} {answer.text[:200]}")
            headers = answer.headers
        except (requests.RequestException, ValueError) as error:
            print(f"{path}: {error!r}", file=sys.stderr)
        wait_s = max(told_s(headers), random.uniform(0.2, 0.3) * 2**attempt)
        if time.monotonic() + wait_s > END:
            sys.exit("no time left")
        time.sleep(wait_s)
    sys.exit(f"{path}: five attempts failed")


def kept(name, make):
    path = STATE / name
    if not path.exists():
        path.write_text(make())
    return path.read_text()


def upload():
    files = {"file": ("dots.png", picture(), "image/png")}
    return ask("POST", "/files", files=files, data={"kind": "image", "model": "hailuo-pro"})["url"]


def create():
    image = {"url": kept("image", upload), "kind": "image"}
    order = {
        "model": "hailuo-pro",
        "prompt": "The dots begin to swim",
        "params": {"referenceMediaItems": [image]},
    }
    key = kept("key", lambda: str(uuid.uuid4()))
    return ask("POST", "/generations", json=order, headers={"Idempotency-Key": key})["id"]


task_id = kept("id", create)
while (task := ask("GET", f"/generations/{task_id}"))["status"] != "succeeded" or not task[
    "result"
]:
    if task["status"] == "failed":
        sys.exit(f"the job failed: {task['error']}")
    if time.monotonic() > END:
        sys.exit("no time left")
    time.sleep(0.3)
for pause_s in (0.2, 0.4, 0.8):
    try:
        video = requests.get(task["result"]["primary_url"], timeout=1.5)
        if video.ok and len(video.content) == int(video.headers["Content-Length"]):
            (STATE / "video.mp4").write_bytes(video.content)
            sys.exit(0)
    except requests.RequestException as error:
        print(repr(error), file=sys.stderr)
    time.sleep(pause_s)
sys.exit("the video cannot be downloaded")
