"""Takes a double click for two orders."""

import asyncio
import uuid

from base import rivya_aiohttp as client


async def on_click():
    await client.make_video(name=uuid.uuid4().hex)


async def double_click():
    first = asyncio.create_task(on_click())
    await asyncio.sleep(0.08)
    await asyncio.gather(first, on_click())


client.run(double_click())
