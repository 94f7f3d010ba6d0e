"""Ace Data Cloud's Hailuo videos: request and response bodies, errors, order of checks."""

from mock_server.apis.acedata.callbacks import Callbacks
from mock_server.apis.acedata.errors import acedata_errors
from mock_server.apis.acedata.schema import document_schemas
from mock_server.apis.acedata.settings import AceDataSettings
from mock_server.apis.acedata.tasks import TASK, query_tasks
from mock_server.apis.acedata.videos import create_video
from mock_server.apis.api import ApiRoute, VendorApi
from mock_server.core.apis import ClientFacts

ACEDATA = VendorApi(
    name="acedata",
    title="Ace Data Cloud",
    short_title="Ace Data",
    prefix="/hailuo",
    own_paths="/hailuo",
    settings=AceDataSettings,
    account="acedata-test",
    key="test-token",
    key_variable="API_TOKEN",
    create_path="/hailuo/videos",
    create_body={"action": "generate", "prompt": "Internal heat"},
    answered_at_once={"async": True},
    operations=("create", "read", "media"),
    task_id=lambda ids, number: ids.uuid("task", number),
    id_kinds=(TASK,),
    of_clients=ClientFacts(
        no_credits=frozenset({"used_up"}),
        refused_key=frozenset(
            {"no_token", "invalid_token", "token_expired", "token_mismatched", "disabled"}
        ),
        refused_body=frozenset({"bad_request", "forbidden"}),
        unknown_task=frozenset({"task_not_found"}),
        pause_between_looks_s=1.0,  # faster than once a second draws 429; advised are 5 to 10 s
        acknowledged_within_s=10.0,
        state_at=("/response/state", "/response/data/0/state", "/data/0/state"),
        states=frozenset({"succeeded"}),
        url_at=("/response/data/0/video_url", "/data/0/video_url"),
    ),
    hint="; POST /hailuo/videos and POST /hailuo/tasks are",
    errors=acedata_errors,
    routes=(
        ApiRoute("/hailuo/videos", "create", {"POST": create_video}),
        ApiRoute("/hailuo/tasks", "read", {"POST": query_tasks}),
    ),
    document_schemas=document_schemas,
    lifetimes=lambda settings: settings.of(AceDataSettings).lifetimes,
    event_writer=lambda settings: Callbacks(settings.of(AceDataSettings)),
)
