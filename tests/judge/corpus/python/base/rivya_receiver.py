"""Orders one video on Rivya, with requests; its webhook tells when the video is ready."""

import hashlib
import hmac
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import requests

from base import rivya_requests as client

SECRET = os.environ["WEBHOOK_SECRET"]
STATE = client.STATE
EFFECTS, TASK, FAILED = STATE / "effects", STATE / "task", STATE / "failed"
lock = threading.Lock()
not_before = 0


def serve():
    url = urlsplit(os.environ["CALLBACK_URL"])
    server = ThreadingHTTPServer((url.hostname, url.port), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client.kept("task", client.create)
    watch()


def watch():
    """Looks now and then, as a webhook may be lost."""
    while True:
        time.sleep(2)
        if needs_look():
            save_if_ready()


def needs_look():
    return not EFFECTS.exists() and not FAILED.exists()


def save_if_ready():
    task_id = TASK.read_text()
    try:
        save(task_id, mark_of_look(task_id))
    except requests.RequestException as error:
        print(error)


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
        task = look(task_id)
        if task["status"] == "failed":
            FAILED.touch()
        if task["status"] == "succeeded":
            client.fetch(task["result"]["primary_url"], STATE / "video.mp4")
            with EFFECTS.open("a") as effects:
                effects.write(f"{mark}\n")


def is_done(mark):
    return EFFECTS.exists() and mark in EFFECTS.read_text()


def look(task_id):
    """The task, in one attempt: the event will come again, and so will the time of a look."""
    global not_before
    if time.monotonic() < not_before:
        raise requests.RequestException("too early")
    answer = client.request("GET", f"{client.API}/{task_id}", client.HEADERS)
    if answer.ok:
        return answer.json()
    if client.is_final(answer):
        os._exit(1)  # ends all threads
    not_before = time.monotonic() + client.told_s(answer.headers)
    raise requests.RequestException(answer.text)
