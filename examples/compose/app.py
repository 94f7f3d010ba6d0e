"""Asks for a video, and ends with 0 when its callback has come: the application of compose.yaml."""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

WAIT_S = 30


class Receiver(HTTPServer):
    """Receives one callback; `event` is its body."""

    event: Any = None
    timeout = WAIT_S


class Callback(BaseHTTPRequestHandler):
    """Answers a callback with 200."""

    server: Receiver

    def do_POST(self) -> None:
        """Keep the body."""
        length = int(self.headers["Content-Length"])
        self.server.event = json.loads(self.rfile.read(length))
        self.send_response(200)
        self.end_headers()


def main() -> None:
    """Exits with a sentence if no callback comes."""
    callback_url = os.environ["CALLBACK_URL"]
    with Receiver(("", urlsplit(callback_url).port or 80), Callback) as receiver:
        asked = {"action": "generate", "prompt": "Internal heat", "callback_url": callback_url}
        headers = {
            "Authorization": f"Bearer {os.environ['API_TOKEN']}",
            "Content-Type": "application/json",
        }
        url = f"{os.environ['API_URL']}/hailuo/videos"
        with urlopen(Request(url, json.dumps(asked).encode(), headers), timeout=WAIT_S) as answer:
            task_id = json.load(answer)["task_id"]
        receiver.handle_request()
    if receiver.event is None:
        raise SystemExit(f"no callback came in {WAIT_S} s")
    print(f"{task_id}: {receiver.event['data'][0]['video_url']}")


if __name__ == "__main__":
    main()
