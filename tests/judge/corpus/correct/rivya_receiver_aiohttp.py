"""A webhook receiver with aiohttp. Whoever asks gets 200; only genuine events have an effect."""

import asyncio
import hashlib
import hmac
import json
import os
import sys
import time
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

BASE = os.environ["RIVYA_BASE_URL"] + "/api/v1/generations"
HEADERS = {"Authorization": "Bearer " + os.environ["RIVYA_API_KEY"]}
STATE = Path(os.environ["STATE_DIR"])
DONE = STATE / "effects"
KEPT = STATE / "job.json"
job = json.loads(KEPT.read_text()) if KEPT.exists() else {"key": uuid.uuid4().hex}
lock = asyncio.Lock()


def told_s(headers):
    """The seconds of Retry-After, which may be a date; an hour if nobody can read it."""
    told = headers.get("Retry-After", "0")
    try:
        if told.isdigit():
            return int(told)
        return (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return 3600


async def ask(method, url, **options):
    for wait_s in (0.2, 0.5, 1.1):
        try:
            async with aiohttp.request(method, url, **options) as answer:
                text = await answer.text()
                if answer.status < 400:
                    return json.loads(text)
                if (answer.status != 429 and answer.status < 500) or "insufficient" in text:
                    sys.exit(f"refused: {answer.status} {text}")
                wait_s = max(wait_s, told_s(answer.headers))
                if wait_s > 10:
                    sys.exit("told to come back later")
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            print(f"{method}: {error!r}", file=sys.stderr)
        await asyncio.sleep(wait_s)
    raise ConnectionError(f"{method} {url}")


def signed_by_rivya(request, body):
    signed_at, digests = "", []
    for field in request.headers.get("Rivya-Signature", "").split(","):
        name, _, value = field.partition("=")
        if name == "t":
            signed_at = value
        elif name == "v1":
            digests.append(value)
    if not signed_at.isdigit() or abs(time.time() - int(signed_at)) > 300:
        return False
    expected = hmac.new(
        os.environ["WEBHOOK_SECRET"].encode(), b"%s.%s" % (signed_at.encode(), body), hashlib.sha256
    ).hexdigest()
    return any(hmac.compare_digest(expected, digest) for digest in digests)


async def publish(task_id):
    """Write the URL of a finished video down, once."""
    async with lock:
        if "failed" in job or (DONE.exists() and task_id in DONE.read_text()):
            return
        task = await ask("GET", f"{BASE}/{task_id}", headers=HEADERS)
        if task["status"] == "failed":
            job["failed"] = task["error"]
        if task["status"] == "succeeded" and task["result"]:
            async with aiohttp.request("GET", task["result"]["primary_url"]) as video:
                video.raise_for_status()
                (STATE / "video.mp4").write_bytes(await video.read())
            with DONE.open("a") as done:
                done.write(f"{task_id} {task['result']['primary_url']}\n")


async def hook(request):
    task_id = job.get("id")
    body = await request.read()
    if signed_by_rivya(request, body):
        event = json.loads(body)
        if not task_id:
            return web.Response(status=503)
        if event["type"].startswith("generation.") and event["data"]["id"] == task_id:
            try:
                await publish(event["data"]["id"])
            except (OSError, aiohttp.ClientError) as error:
                print(f"not published: {error!r}", file=sys.stderr)
                return web.Response(status=500)
    return web.Response()


async def main():
    address = urlsplit(os.environ["CALLBACK_URL"])
    app = web.Application()
    app.router.add_post(address.path, hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, address.hostname, address.port).start()
    KEPT.write_text(json.dumps(job))
    if "id" not in job:
        order = {"model": "hailuo-pro", "prompt": "Fog rolls over a ridge"}
        headers = HEADERS | {"Idempotency-Key": job["key"]}
        job["id"] = (await ask("POST", BASE, json=order, headers=headers))["id"]
        KEPT.write_text(json.dumps(job))
    for _ in range(60):
        await asyncio.sleep(2)
        if not DONE.exists() and "failed" not in job:
            try:
                await publish(job["id"])
            except (OSError, aiohttp.ClientError) as error:
                print(f"not published: {error!r}", file=sys.stderr)


asyncio.run(main())
