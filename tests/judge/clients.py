"""Small clients that are judged: each is one Python file that reads the usual variables."""

from __future__ import annotations

import sys
from pathlib import Path

_START = """
import json, os, signal, subprocess, sys, time
from urllib.request import Request, urlopen

BASE, KEY = os.environ["RIVYA_BASE_URL"], os.environ["RIVYA_API_KEY"]

def call(method, path, body=None, key=KEY, **headers):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": "Bearer " + key, "Content-Type": "application/json", **headers}
    with urlopen(Request(BASE + path, data, headers, method=method), timeout=1) as answer:
        return json.load(answer)

ORDER = {"model": "hailuo-pro", "prompt": "A lighthouse"}

def create(**headers):
    return call("POST", "/api/v1/generations", ORDER, **headers)["id"]

def look(task):
    return call("GET", "/api/v1/generations/" + task)

def finished(task):
    while True:
        seen = look(task)
        if seen["status"] in ("succeeded", "failed"):
            return seen
        time.sleep(0.1)

def again(work):
    for _ in range(3):
        try:
            return work()
        except (OSError, ValueError):
            time.sleep(0.05)
    sys.exit(1)

"""

CORRECT = """
task = again(lambda: create(**{"Idempotency-Key": "order-1"}))
seen = finished(task)
if seen["status"] == "failed":
    sys.exit(1)
with urlopen(seen["result"]["primary_url"]) as video:
    video.read()
"""

PAYS_TWICE = CORRECT.replace('**{"Idempotency-Key": "order-1"}', "")

KEEPS_LOOKING = """
seen = finished(create())
for _ in range(6):
    look(seen["id"])
"""


def client(folder: Path, code: str) -> tuple[str, ...]:
    """The command that runs this code as a client."""
    file = folder / "client.py"
    file.write_text(_START + code)
    return (sys.executable, "-S", str(file))
