"""Retries 401 like 429."""

from base import acedata_httpx as client


def is_final_for_order(answer):
    return answer.status_code not in (401, 429) or "used_up" in answer.text


client.is_final_for_order = is_final_for_order
client.make_video()
