"""Makes one video on Rivya and saves it, with aiohttp."""

import asyncio
import os
import random
import sys
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp

API = os.environ["RIVYA_BASE_URL"] + "/api/v1/generations"
AUTH = {"Authorization": "Bearer " + os.environ["RIVYA_API_KEY"]}
STATE = Path(os.environ["STATE_DIR"])
TIMEOUT = aiohttp.ClientTimeout(total=1.5)


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


async def send(session, method, url, **options):
    for attempt in range(4):
        wait_s = random.uniform(0.15, 0.3) * 2**attempt
        try:
            async with session.request(method, url, **options) as answer:
                if answer.ok:
                    return await answer.json()
                text = await answer.text()
                if answer.status not in (429, 500, 502, 503, 504) or "credits" in text:
                    raise GiveUp(text)
                wait_s = max(wait_s, told_s(answer.headers))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            print(repr(error), file=sys.stderr)
        await asyncio.sleep(wait_s)
    raise GiveUp(f"no answer to {method}")


async def download(url):
    async with aiohttp.ClientSession(timeout=TIMEOUT) as plain:
        for wait_s in (0.2, 0.4, 0.8):
            try:
                async with plain.get(url, raise_for_status=True) as answer:
                    return await answer.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                print(repr(error), file=sys.stderr)
            await asyncio.sleep(wait_s)
    raise GiveUp("no video")


async def on_click(prompt):
    async with aiohttp.ClientSession(headers=AUTH, timeout=TIMEOUT) as session:
        order = {"model": "hailuo-standard", "prompt": prompt}
        keyed = {"Idempotency-Key": uuid.uuid4().hex}
        task_id = (await send(session, "POST", API, json=order, headers=keyed))["id"]
        while True:
            task = await send(session, "GET", f"{API}/{task_id}")
            if task["status"] == "failed":
                raise GiveUp(f"failed: {task['error']}")
            if task["status"] == "succeeded" and task["result"].get("primary_url"):
                break
            await asyncio.sleep(0.3)
    (STATE / f"{task_id}.mp4").write_bytes(await download(task["result"]["primary_url"]))


async def double_click():
    first = asyncio.create_task(on_click("A fox looks up from fresh snow"))
    await asyncio.sleep(0.08)
    await asyncio.gather(first, on_click("A fox looks up from fresh snow"))


try:
    asyncio.run(asyncio.wait_for(double_click(), 5))
except (GiveUp, TimeoutError) as reason:
    sys.exit(repr(reason))
