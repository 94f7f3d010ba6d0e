"""Orders one video on Rivya, with requests; its webhook tells when the video is ready."""

import hashlib
import hmac
import json
import os
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import requests

API = os.environ["RIVYA_BASE_URL"] + "/api/v1/generations"
AUTH = {"Authorization": f"Bearer {os.environ['RIVYA_API_KEY']}"}
SECRET = os.environ["WEBHOOK_SECRET"]
STATE = Path(os.environ["STATE_DIR"])
EFFECTS, TASK, KEY = STATE / "effects", STATE / "task", STATE / "key"
lock = threading.Lock()


def serve():
    url = urlsplit(os.environ["CALLBACK_URL"])
    server = ThreadingHTTPServer((url.hostname, url.port), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if not TASK.exists():
        TASK.write_text(create())
    watch()


def create():
    if not KEY.exists():
        KEY.write_text(uuid.uuid4().hex)
    headers = AUTH | {"Idempotency-Key": KEY.read_text()}
    order = {"model": "hailuo-pro", "prompt": "A market square at noon"}
    for wait_s in (0.3, 0.7, 1.5):
        try:
            answer = requests.post(API, json=order, headers=headers, timeout=1.5)
            if answer.ok:
                return answer.json()["id"]
        except (requests.RequestException, ValueError) as error:
            print(error)
        time.sleep(wait_s)
    raise SystemExit("not ordered")


def watch():
    """Looks now and then, as a webhook may be lost."""
    while True:
        time.sleep(2)
        if needs_look():
            look()


def look():
    task_id = TASK.read_text()
    try:
        save(task_id, mark_of_look(task_id))
    except requests.RequestException as error:
        print(error)


def needs_look():
    return not EFFECTS.exists()


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(receive(self.headers, body))
        self.end_headers()


def receive(headers, body):
    """The status of the answer to a webhook."""
    if not is_signed(headers.get("Rivya-Signature", ""), body):
        return 401
    return act(json.loads(body), headers)


def is_signed(header, body):
    fields = [field.split("=", 1) for field in header.split(",") if "=" in field]
    signed_at = dict(fields).get("t", "0")
    signed = signed_at.encode() + b"." + body
    right = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return is_recent(int(signed_at)) and has_signature(fields, right)


def is_recent(signed_at):
    return abs(time.time() - signed_at) <= 300


def has_signature(fields, right):
    return any(hmac.compare_digest(right, hex) for name, hex in fields if name == "v1")


def act(event, headers):
    """The status of the answer to a genuine event."""
    if event["type"] == "generation.succeeded":
        try:
            save(event["data"]["id"], mark_of_event(event, headers))
        except requests.RequestException as error:
            print(error)
            return 500
    return 200


def mark_of_event(event, _headers):
    """What is the same in all copies of an event."""
    return event["data"]["id"]


def mark_of_look(task_id):
    return task_id


def save(task_id, mark):
    """Save the video of a task, unless this was done under the same mark."""
    with lock:
        if is_done(mark):
            return
        task = requests.get(f"{API}/{task_id}", headers=AUTH, timeout=1.5).json()
        if task["status"] == "succeeded":
            video = requests.get(task["result"]["primary_url"], timeout=1.5)
            video.raise_for_status()
            (STATE / "video.mp4").write_bytes(video.content)
            with EFFECTS.open("a") as effects:
                effects.write(f"{mark}\n")


def is_done(mark):
    return EFFECTS.exists() and mark in EFFECTS.read_text()
