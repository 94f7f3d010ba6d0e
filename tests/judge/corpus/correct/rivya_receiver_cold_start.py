"""A webhook receiver that loads its editing software at the first event, which takes long."""

import hashlib
import hmac
import json
import os
import sqlite3
import threading
import time
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import requests

API = os.environ["RIVYA_BASE_URL"] + "/api/v1/generations"
HOOK = urlsplit(os.environ["CALLBACK_URL"])
STATE = Path(os.environ["STATE_DIR"])
lock = threading.Lock()
session = requests.Session()
session.headers["Authorization"] = f"Bearer {os.environ['RIVYA_API_KEY']}"
is_loaded = False


def store(statement, *values):
    with sqlite3.connect(STATE / "jobs.db") as db:
        db.execute("CREATE TABLE IF NOT EXISTS job (name TEXT PRIMARY KEY, value TEXT)")
        return db.execute(statement, values).fetchone()


def kept(name):
    row = store("SELECT value FROM job WHERE name = ?", name)
    return row and row[0]


def told_s(headers):
    """The seconds of Retry-After, which may be a date; an hour if nobody can read it."""
    told = headers.get("Retry-After", "0")
    try:
        if told.isdigit():
            return int(told)
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 3600


def ask(method, url, attempts=4, **options):
    for attempt in range(attempts):
        wait_s = 0.3 * 2**attempt
        try:
            answer = session.request(method, url, timeout=1.5, **options)
            if answer.ok:
                return answer.json()
            is_final = answer.status_code != 429 and answer.status_code < 500
            if is_final or "insufficient_credits" in answer.text:
                os._exit(1)
            wait_s = max(wait_s, told_s(answer.headers))
            if wait_s > 10:
                os._exit(1)
        except (requests.RequestException, ValueError) as error:
            print(repr(error))
        time.sleep(wait_s)
    raise ConnectionError(url)


def load_editor():
    global is_loaded
    if not is_loaded:
        time.sleep(6)  # stands for a program of two gigabytes
    is_loaded = True


def edit(task_id):
    with lock:
        load_editor()
        if kept("done") == task_id:
            return
        task = ask("GET", f"{API}/{task_id}", attempts=1)  # if it fails, the event comes again
        if task["status"] == "failed":
            store("INSERT INTO job VALUES ('done', ?)", task_id)
        if task["status"] == "succeeded" and task["result"]:
            video = requests.get(task["result"]["primary_url"], timeout=1.5)
            video.raise_for_status()
            (STATE / "video.mp4").write_bytes(video.content)
            with (STATE / "effects").open("a") as effects:
                effects.write(f"{task_id}\n")
            store("INSERT INTO job VALUES ('done', ?)", task_id)


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 200
        if not self.is_signed(body):
            status = 403
        elif json.loads(body)["data"]["id"] == kept("id"):
            try:
                edit(kept("id"))
            except (OSError, requests.RequestException):
                status = 500
        self.send_response(status)
        self.end_headers()

    def is_signed(self, body):
        fields = [f.split("=") for f in self.headers.get("Rivya-Signature", "=").split(",")]
        at = dict(fields).get("t", "0")
        right = hmac.new(os.environ["WEBHOOK_SECRET"].encode(), digestmod=hashlib.sha256)
        right.update(at.encode() + b"." + body)
        fresh = abs(int(at) - time.time()) < 300
        return fresh and ["v1", right.hexdigest()] in fields


threading.Thread(
    target=ThreadingHTTPServer((HOOK.hostname, HOOK.port), Hook).serve_forever, daemon=True
).start()
if not kept("id"):
    store("INSERT OR IGNORE INTO job VALUES ('key', ?)", str(uuid.uuid4()))
    order = {"model": "hailuo-standard", "prompt": "A glassblower at work"}
    created = ask("POST", API, json=order, headers={"Idempotency-Key": kept("key")})
    store("INSERT INTO job VALUES ('id', ?)", created["id"])
while True:  # a service: it ends when it is stopped
    time.sleep(9)
    if kept("done") is None:
        try:
            edit(kept("id"))
        except (OSError, requests.RequestException) as error:
            print(repr(error))
