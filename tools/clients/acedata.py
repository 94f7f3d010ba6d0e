"""Uses the client that was generated for Ace Data Cloud: creates a video and waits for its end."""

from __future__ import annotations

import sys
import time

from client import AuthenticatedClient
from client.api.ace_data import create_video, query_tasks
from client.models.task import Task
from client.models.task_batch import TaskBatch
from client.models.task_no_response_yet import TaskNoResponseYet
from client.models.task_query_retrieve import TaskQueryRetrieve
from client.models.task_query_retrieve_batch import TaskQueryRetrieveBatch
from client.models.task_query_retrieve_batch_action import TaskQueryRetrieveBatchAction
from client.models.video_accepted import VideoAccepted
from client.models.video_request_minimax_i2v import VideoRequestMinimaxI2V
from client.models.video_request_minimax_t2v import VideoRequestMinimaxT2V
from client.models.video_result import VideoResult

api = AuthenticatedClient(base_url=sys.argv[1], token="test-token")

finished = create_video.sync(
    client=api, body=VideoRequestMinimaxT2V(action="generate", prompt="Heat")
)
assert isinstance(finished, VideoResult)
assert finished.data[0].model == "minimax-t2v"

body = VideoRequestMinimaxI2V(
    action="generate",
    model="minimax-i2v",
    first_image_url="https://cdn.example.com/first.png",
    async_=True,
)
accepted = create_video.sync(client=api, body=body)
assert isinstance(accepted, VideoAccepted)

query = TaskQueryRetrieve(id=str(accepted.task_id))
task = query_tasks.sync(client=api, body=query)
while isinstance(task, Task) and isinstance(task.response, TaskNoResponseYet):
    time.sleep(0.1)
    task = query_tasks.sync(client=api, body=query)
assert isinstance(task, Task)
assert isinstance(task.response, VideoResult)
assert task.response.task_id == accepted.task_id

ids = [str(finished.task_id), str(accepted.task_id)]
several = TaskQueryRetrieveBatch(action=TaskQueryRetrieveBatchAction.RETRIEVE_BATCH, ids=ids)
batch = query_tasks.sync(client=api, body=several)
assert isinstance(batch, TaskBatch)
assert [each.id for each in batch.items] == [finished.task_id, accepted.task_id]
