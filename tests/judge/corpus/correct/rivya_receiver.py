"""Orders one video on Rivya and saves it when the webhook tells that it is ready."""

import hashlib
import hmac
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

BASE, KEY = os.environ["RIVYA_BASE_URL"], os.environ["RIVYA_API_KEY"]
SECRET = os.environ["WEBHOOK_SECRET"].encode()
HOOK = urlsplit(os.environ["CALLBACK_URL"])
STATE = Path(os.environ["STATE_DIR"])
EFFECTS = STATE / "effects"
TASK_ID = STATE / "task_id"
one_at_a_time = threading.Lock()
saved = threading.Event()


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """With redirects urllib would send the key to any other host, too."""

    def redirect_request(self, *_):
        return None


api = urllib.request.build_opener(NoRedirects)


def stop(reason):
    """End the program from any of its threads."""
    print(reason, file=sys.stderr)
    os._exit(1)


def told_s(headers):
    """The seconds of Retry-After, which may be a date; an hour if nobody can read it."""
    told = headers.get("Retry-After", "0")
    try:
        if told.isdigit():
            return int(told)
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 3600


def rivya(method, path, body=None, **headers):
    headers |= {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    body = body and json.dumps(body).encode()
    for wait_s in (0.2, 0.5, 1.0, 0):
        try:
            request = urllib.request.Request(BASE + path, body, headers, method=method)
            with api.open(request, timeout=1.5) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if (error.code != 429 and error.code < 500) or b"credits" in error.read():
                stop(f"{method} {path}: {error.code}")
            wait_s = max(wait_s, told_s(error.headers))
            if wait_s > 10:
                stop(f"{method} {path}: told to come back later")
        except (OSError, HTTPException, ValueError) as error:
            print(f"{method} {path}: {error!r}", file=sys.stderr)
        time.sleep(wait_s)
    stop(f"{method} {path}: no answer")


def is_genuine(header, body):
    """t=SECONDS,v1=HEX[,v1=HEX]: one of the digests is right, and at most five minutes old."""
    pairs = [part.split("=", 1) for part in header.split(",") if "=" in part]
    sent = "".join(value for name, value in pairs if name == "t")
    right = hmac.new(SECRET, sent.encode() + b"." + body, hashlib.sha256).hexdigest()
    given = [value for name, value in pairs if name == "v1"]
    recent = sent.isdigit() and abs(time.time() - int(sent)) <= 300
    return recent and any(hmac.compare_digest(right, value) for value in given)


def save_if_ready(task_id):
    """Save the video once, however often and by whomever this is called."""
    with one_at_a_time:
        if EFFECTS.exists() and task_id in EFFECTS.read_text():
            return
        task = rivya("GET", f"/api/v1/generations/{task_id}")
        if task["status"] == "failed":
            stop(f"The job failed: {task['error']}")
        if task["status"] != "succeeded" or not task["result"]:
            return
        with urllib.request.urlopen(task["result"]["primary_url"], timeout=1.5) as video:
            (STATE / "video.mp4").write_bytes(video.read())
        with EFFECTS.open("a") as effects:
            effects.write(f"{task_id}\n")
        saved.set()


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not is_genuine(self.headers.get("Rivya-Signature", ""), body):
            return self.reply(401)
        event = json.loads(body)
        if not TASK_ID.exists():
            return self.reply(503)  # before the answer to the order: the event will come again
        try:
            if event["type"] == "generation.succeeded" and event["data"]["id"] == ours():
                save_if_ready(event["data"]["id"])
        except (OSError, HTTPException):
            return self.reply(500)
        return self.reply(200)

    def reply(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def ours():
    if not TASK_ID.exists():
        key = STATE / "key"
        if not key.exists():
            key.write_text(uuid.uuid4().hex)
        order = {"model": "hailuo-pro", "prompt": "A market square at noon"}
        with_key = {"Idempotency-Key": key.read_text()}
        TASK_ID.write_text(rivya("POST", "/api/v1/generations", order, **with_key)["id"])
    return TASK_ID.read_text()


server = ThreadingHTTPServer((HOOK.hostname, HOOK.port), Hook)
threading.Thread(target=server.serve_forever, daemon=True).start()
ours()
for _ in range(4):  # the webhook may be lost, so look from time to time
    if saved.wait(1.5):
        break
    try:
        save_if_ready(ours())
    except (OSError, HTTPException) as error:
        print(f"not saved yet: {error!r}", file=sys.stderr)
time.sleep(2)
sys.exit(0 if EFFECTS.exists() else "no video")
