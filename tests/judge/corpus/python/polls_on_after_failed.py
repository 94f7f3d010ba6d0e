"""Knows no end but success."""

from base import rivya_urllib as client

client.is_ready = lambda task: task["status"] == "succeeded" and task["result"].get("urls")
client.run(client.make_video)
