"""Makes one video on Rivya and saves it, with aiohttp."""

import asyncio
import os
import random
import sys
import uuid
from pathlib import Path

import aiohttp

from base.retry_after import told_s

API = os.environ["RIVYA_BASE_URL"] + "/api/v1/generations"
AUTH = {"Authorization": "Bearer " + os.environ["RIVYA_API_KEY"]}
STATE = Path(os.environ["STATE_DIR"])
TIMEOUT = aiohttp.ClientTimeout(total=1.5)


class GiveUp(Exception):
    pass


def run(work):
    """Wait for it for five seconds, and end the program."""
    try:
        asyncio.run(asyncio.wait_for(work, 5))
    except (GiveUp, TimeoutError) as reason:
        sys.exit(repr(reason))


async def make_video(name="fox", prompt="A fox looks up from fresh snow"):
    """Make the video of that name. A restart continues the same job."""
    id_file = STATE / f"{name}.id"
    async with aiohttp.ClientSession(headers=AUTH, timeout=TIMEOUT) as session:
        if not id_file.exists():
            id_file.write_text(await create(session, name, prompt))
        task = await wait_for(session, id_file.read_text())
    (STATE / f"{name}.mp4").write_bytes(await download(task["result"]["primary_url"]))


async def create(session, name, prompt):
    key_file = STATE / f"{name}.key"
    if not key_file.exists():
        key_file.write_text(uuid.uuid4().hex)
    order = {"model": "hailuo-standard", "prompt": prompt}
    keyed = {"Idempotency-Key": key_file.read_text()}
    return (await send(session, "POST", API, json=order, headers=keyed))["id"]


async def wait_for(session, task_id):
    while True:
        task = await send(session, "GET", f"{API}/{task_id}")
        if is_ready(task):
            return task
        await asyncio.sleep(0.3)


def is_ready(task):
    if task["status"] == "failed":
        raise GiveUp(f"failed: {task['error']}")
    return task["status"] == "succeeded" and task["result"].get("primary_url")


async def send(session, method, url, **options):
    """The answer, after as many attempts as it takes."""
    for attempt in range(4):
        wait_s = backoff_s(attempt)
        try:
            async with session.request(method, url, **options) as answer:
                if answer.ok:
                    return await answer.json()
                text = await answer.text()
                if is_final(answer.status, text):
                    raise GiveUp(text)
                wait_s = max(wait_s, told_s(answer.headers))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            print(repr(error), file=sys.stderr)
        await asyncio.sleep(wait_s)
    raise GiveUp(f"no answer to {method}")


def backoff_s(attempt):
    return random.uniform(0.15, 0.3) * 2**attempt


def is_final(status, text):
    """Whether it is of no use to send the same again."""
    return status not in (429, 500, 502, 503, 504) or "credits" in text


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
