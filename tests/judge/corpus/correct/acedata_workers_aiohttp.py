"""Three workers share one token and make one video each on Ace Data Cloud."""

import asyncio
import json
import os
import random
import sys
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp

BASE = os.environ["ACEDATA_BASE_URL"]
STATE = Path(os.environ["STATE_DIR"])
HEADERS = {"Authorization": "Bearer " + os.environ["ACEDATA_API_TOKEN"]}
PROMPTS = ["A heron waits", "Snow on a bridge", "Traffic from above at night"]
PATIENCE = aiohttp.ClientTimeout(total=1.5)


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


async def back_off(attempt, headers):
    await asyncio.sleep(max(told_s(headers), 0.2 * 2**attempt * random.uniform(0.8, 1.2)))


async def order(session, prompt):
    body = {"action": "generate", "prompt": prompt, "async": True}
    for attempt in range(4):
        try:
            async with session.post(BASE + "/hailuo/videos", json=body) as answer:
                if answer.status == 200:
                    return (await answer.json())["task_id"]
                if answer.status != 429 or "used_up" in await answer.text():
                    raise GiveUp(f"{prompt}: {answer.status} {(await answer.text())[:200]}")
                headers = answer.headers
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
            raise GiveUp(f"{prompt}: may be charged, not repeated: {error!r}") from error
        await back_off(attempt, headers)
    raise GiveUp(f"{prompt}: refused four times")


async def look(session, task_id):
    for attempt in range(5):
        headers = {}
        try:
            body = {"action": "retrieve", "id": task_id}
            async with session.post(BASE + "/hailuo/tasks", json=body) as answer:
                if answer.status == 200:
                    return json.loads(await answer.text())
                if answer.status not in (429, 500, 502, 503, 504):
                    raise GiveUp(f"{task_id}: {answer.status} {(await answer.text())[:200]}")
                headers = answer.headers
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            print(f"{task_id}: {error!r}", file=sys.stderr)
        await back_off(attempt, headers)
    raise GiveUp(f"{task_id}: five looks failed")


async def download(url, path):
    for pause_s in (0.2, 0.5, 1):
        try:
            async with aiohttp.request(
                "GET", url, timeout=PATIENCE, raise_for_status=True
            ) as video:
                path.write_bytes(await video.read())
                return
        except (aiohttp.ClientError, TimeoutError) as error:
            print(f"{url}: {error!r}", file=sys.stderr)
            await asyncio.sleep(pause_s)
    raise GiveUp(f"{url}: not downloaded")


async def work(number, prompt):
    id_file = STATE / f"task-{number}"
    async with aiohttp.ClientSession(headers=HEADERS, timeout=PATIENCE) as session:
        if not id_file.exists():
            id_file.write_text("")
            id_file.write_text(await order(session, prompt))
        if not (task_id := id_file.read_text()):
            raise GiveUp(f"{prompt}: ordered by an earlier run that did not end well")
        while True:
            response = (await look(session, task_id)).get("response") or {}
            if response.get("success") is False:
                raise GiveUp(f"{prompt}: {response.get('error')}")
            if response.get("data") and response["data"][0].get("video_url"):
                break
            await asyncio.sleep(random.uniform(0.3, 0.5))
    await download(response["data"][0]["video_url"], STATE / f"video-{number}.mp4")


async def main():
    jobs = [asyncio.wait_for(work(*job), 5) for job in enumerate(PROMPTS)]
    ended = await asyncio.gather(*jobs, return_exceptions=True)
    failures = [repr(error) for error in ended if error]
    if failures:
        sys.exit("\n".join(failures))


asyncio.run(main())
