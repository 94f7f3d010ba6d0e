"""Makes one video on Rivya with aiohttp, within five seconds."""

import asyncio
import json
import os
import random
import sys
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp

STATE = Path(os.environ["STATE_DIR"]) / "state.json"
ORDER = {
    "model": "hailuo-standard",
    "prompt": "A fox looks up from fresh snow",
    "params": {"duration": "6", "resolution": "768P"},
}
HEADERS = {"Authorization": "Bearer " + os.environ["RIVYA_API_KEY"]}
PATIENCE = aiohttp.ClientTimeout(total=1.5)


class Refused(Exception):
    pass


def remembered():
    return json.loads(STATE.read_text()) if STATE.exists() else {}


def remember(**facts):
    STATE.write_text(json.dumps(remembered() | facts))


def told_s(headers):
    """The seconds of Retry-After, which may be a date; an hour if nobody can read it."""
    told = headers.get("Retry-After", "0")
    try:
        if told.isdigit():
            return int(told)
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 3600


async def request(session, method, path, **options):
    url = os.environ["RIVYA_BASE_URL"] + path
    for attempt in range(6):
        wait_s = 0
        try:
            async with session.request(method, url, **options) as answer:
                text = await answer.text()
                if answer.status < 400:
                    return json.loads(text)
                if answer.status not in (429, 500, 502, 503, 504) or "insufficient" in text:
                    raise Refused(f"{answer.status}: {text[:200]}")
                wait_s = told_s(answer.headers)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            print(f"{method} {path}: {error!r}", file=sys.stderr)
        await asyncio.sleep(max(wait_s, random.uniform(0.1, 0.2) * 2**attempt))
    raise Refused("six attempts, no answer")


async def download(url):
    for pause_s in (0.2, 0.4, 0.8):
        try:
            async with aiohttp.ClientSession(timeout=PATIENCE) as plain, plain.get(url) as answer:
                answer.raise_for_status()
                return await answer.read()  # raises ClientPayloadError if the body is cut
        except (aiohttp.ClientError, TimeoutError) as error:
            print(f"download: {error!r}", file=sys.stderr)
        await asyncio.sleep(pause_s)
    raise Refused("the video cannot be downloaded")


async def main():
    remember(key=remembered().get("key") or uuid.uuid4().hex)
    async with aiohttp.ClientSession(headers=HEADERS, timeout=PATIENCE) as session:
        if "id" not in remembered():
            headers = {"Idempotency-Key": remembered()["key"]}
            task = await request(
                session, "POST", "/api/v1/generations", json=ORDER, headers=headers
            )
            remember(id=task["id"])
        while True:
            task = await request(session, "GET", f"/api/v1/generations/{remembered()['id']}")
            if task["status"] == "failed":
                raise Refused(f"the job failed: {task['error']}")
            if task["status"] == "succeeded" and task["result"] and task["result"]["urls"]:
                break
            await asyncio.sleep(0.3)
    (STATE.parent / "video.mp4").write_bytes(await download(task["result"]["urls"][0]))


try:
    asyncio.run(asyncio.wait_for(main(), 5))
except TimeoutError:
    sys.exit("out of time")
except Refused as refused:
    sys.exit(str(refused))
