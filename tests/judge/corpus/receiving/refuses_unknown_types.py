"""Orders one video on Rivya; its webhook tells when the video is ready to be saved."""

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
EFFECTS, TASK = STATE / "effects", STATE / "task"
lock = threading.Lock()


def create():
    key = STATE / "key"
    if not key.exists():
        key.write_text(uuid.uuid4().hex)
    headers = AUTH | {"Idempotency-Key": key.read_text()}
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


def is_signed(header, body):
    fields = [field.split("=", 1) for field in header.split(",") if "=" in field]
    signed_at = dict(fields).get("t", "0")
    signed = signed_at.encode() + b"." + body
    right = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    if abs(time.time() - int(signed_at)) > 300:
        return False
    return any(hmac.compare_digest(right, hex) for name, hex in fields if name == "v1")


def save(task_id):
    with lock:
        if EFFECTS.exists() and task_id in EFFECTS.read_text():
            return
        task = requests.get(f"{API}/{task_id}", headers=AUTH, timeout=1.5).json()
        if task["status"] == "succeeded":
            video = requests.get(task["result"]["primary_url"], timeout=1.5)
            video.raise_for_status()
            (STATE / "video.mp4").write_bytes(video.content)
            with EFFECTS.open("a") as effects:
                effects.write(f"{task_id}\n")


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 200
        if not is_signed(self.headers.get("Rivya-Signature", ""), body):
            status = 401
        elif (event := json.loads(body))["type"] == "generation.succeeded":
            try:
                save(event["data"]["id"])
            except requests.RequestException as error:
                print(error)
                status = 500
        elif event["type"] != "generation.failed":
            status = 400
        self.send_response(status)
        self.end_headers()


url = urlsplit(os.environ["CALLBACK_URL"])
server = ThreadingHTTPServer((url.hostname, url.port), Hook)
threading.Thread(target=server.serve_forever, daemon=True).start()
if not TASK.exists():
    TASK.write_text(create())
while True:  # a webhook may be lost
    time.sleep(2)
    if not EFFECTS.exists():
        try:
            save(TASK.read_text())
        except requests.RequestException as error:
            print(error)
