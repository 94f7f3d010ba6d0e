"""Has two workers whose pauses are equal to the millisecond."""

import asyncio

from base import rivya_aiohttp as client


async def main():
    fox = client.make_video("fox", "A fox in fresh snow")
    await asyncio.gather(fox, client.make_video("owl", "An owl at night"))


client.backoff_s = lambda attempt: 0.2 * 2**attempt
client.run(main())
