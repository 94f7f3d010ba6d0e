"""The correct client of which others replace a step, as it is."""

from base import rivya_aiohttp as client

client.run(client.make_video())
