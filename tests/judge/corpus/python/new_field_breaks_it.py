"""Crashes at a field that it does not know."""

from dataclasses import asdict, dataclass

from base import rivya_urllib as client

look = client.look


@dataclass
class Generation:
    id: str
    status: str
    model: str
    reserved_credits: int
    final_credits: int
    created_at: str
    updated_at: str
    result: dict | None
    error: dict | None


client.look = lambda task_id: asdict(Generation(**look(task_id)))
client.run(client.make_video)
