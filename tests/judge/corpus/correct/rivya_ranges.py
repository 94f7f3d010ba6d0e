"""Makes one video on Rivya and fetches it in pieces, as players and download managers do."""

import asyncio
import os
import random
import sys
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

STATE = Path(os.environ["STATE_DIR"])
PIECE = 4096
LIMIT_S = 5


class GiveUp(Exception):
    pass


def told_s(headers):
    """The seconds of Retry-After, which may be a date; an hour if nobody can read it."""
    told = headers.get("Retry-After", "0")
    try:
        if told.isdigit():
            return int(told)
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 3600


async def ask(client, method, path, **options):
    for attempt in range(5):
        headers = {}
        try:
            answer = await client.request(method, path, **options)
            if answer.is_success:
                return answer.json()
            if answer.status_code not in (429, 500, 502, 503, 504) or "credits" in answer.text:
                raise GiveUp(f"{answer.status_code} {answer.text[:200]}")
            headers = answer.headers
        except (httpx.HTTPError, ValueError) as error:
            print(repr(error), file=sys.stderr)
        await asyncio.sleep(max(told_s(headers), random.uniform(0.2, 0.3) * 2**attempt))
    raise GiveUp(f"{method} {path}: five attempts failed")


async def piece(client, url, start):
    """The bytes from start on, at most PIECE of them, and the length of the whole."""
    last = start + PIECE - 1
    for pause_s in (0.2, 0.4, 0.8):
        try:
            answer = await client.get(url, headers={"Range": f"bytes={start}-{last}"})
            if answer.status_code == 200:  # the server ignores Range: this is the whole
                return answer.content, start + len(answer.content)
            if answer.status_code == 206:
                return answer.content, int(answer.headers["Content-Range"].split("/")[1])
        except (httpx.HTTPError, KeyError) as error:
            print(repr(error), file=sys.stderr)
        await asyncio.sleep(pause_s)
    raise GiveUp(f"bytes {start}-{last} cannot be fetched")


async def download(url, path):
    async with httpx.AsyncClient(timeout=1.5) as client:
        first, size = await piece(client, url, 0)
        starts = range(len(first), size, PIECE)
        rest = await asyncio.gather(*(piece(client, url, start) for start in starts))
    whole = first + b"".join(content for content, _ in rest)
    if len(whole) != size:
        raise GiveUp(f"{len(whole)} of {size} bytes")
    path.write_bytes(whole)


async def main():
    headers = {"Authorization": f"Bearer {os.environ['RIVYA_API_KEY']}"}
    base = os.environ["RIVYA_BASE_URL"] + "/api/v1/generations"
    key, kept_id = STATE / "key", STATE / "id"
    if not key.exists():
        key.write_text(str(uuid.uuid4()))
    async with httpx.AsyncClient(headers=headers, timeout=1.5) as client:
        if not kept_id.exists():
            order = {"model": "hailuo-pro", "prompt": "A train leaves a small station"}
            keyed = {"Idempotency-Key": key.read_text()}
            kept_id.write_text((await ask(client, "POST", base, json=order, headers=keyed))["id"])
        while True:
            task = await ask(client, "GET", f"{base}/{kept_id.read_text()}")
            if task["status"] == "failed":
                raise GiveUp(f"the job failed: {task['error']}")
            if task["status"] == "succeeded" and task["result"]:
                break
            await asyncio.sleep(0.35)
    await download(task["result"]["primary_url"], STATE / "video.mp4")


try:
    asyncio.run(asyncio.wait_for(main(), LIMIT_S))
except (GiveUp, TimeoutError) as error:
    sys.exit(repr(error))
