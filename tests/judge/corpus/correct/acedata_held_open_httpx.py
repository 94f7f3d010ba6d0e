"""Makes one video on Ace Data Cloud with one long request, as the simplest integration does."""

import os
import sys
import time
from pathlib import Path

import httpx

TOKEN = os.environ["ACEDATA_API_TOKEN"]
STATE = Path(os.environ["STATE_DIR"])
ORDER = {"action": "generate", "model": "minimax-t2v", "prompt": "A tram turns a corner in rain"}

if (STATE / "ordered").exists():
    sys.exit("This was ordered before. Ask the dashboard what became of it.")
(STATE / "ordered").touch()

for told_s in (1, 2, None):
    try:
        answer = httpx.post(
            os.environ["ACEDATA_BASE_URL"] + "/hailuo/videos",
            json=ORDER,
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=httpx.Timeout(4, connect=1),
        )
    except httpx.HTTPError as error:
        sys.exit(f"No answer ({error!r}). The video may be charged; it is not ordered again.")
    if answer.status_code != 429 or told_s is None or "used_up" in answer.text:
        break
    told = answer.headers.get("Retry-After", str(told_s))
    if not told.isdigit() or int(told) > 3:
        sys.exit(f"Too many requests. Try again after {told}.")
    time.sleep(max(int(told), told_s))

try:
    told = answer.json()
    url = told["data"][0]["video_url"] if answer.is_success and told.get("success") else None
except (ValueError, LookupError, TypeError) as error:
    sys.exit(f"An answer nobody can read, not ordered again: {error!r}")
if not url:
    sys.exit(f"Refused: {answer.status_code} {told}")

for pause_s in (0.2, 0.5, 1):
    try:
        video = httpx.get(url, timeout=1.5).raise_for_status()
        (STATE / "video.mp4").write_bytes(video.content)
        sys.exit(0)
    except httpx.HTTPError as error:
        print(repr(error), file=sys.stderr)
        time.sleep(pause_s)
sys.exit("The video cannot be downloaded.")
