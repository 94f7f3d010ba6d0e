"""Retries every error except those of the key."""

from base import rivya_aiohttp as client


def is_final(status, text):
    return status in (401, 402, 403, 404, 409) or "credits" in text


client.is_final = is_final
client.run(client.make_video())
