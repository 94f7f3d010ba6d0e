"""Ace Data Cloud's Hailuo videos: request and response bodies, errors, order of checks."""

from mock_server.apis.acedata.callbacks import Callbacks
from mock_server.apis.acedata.client_facts import CLIENT_FACTS
from mock_server.apis.acedata.errors import acedata_errors
from mock_server.apis.acedata.ids import TASK
from mock_server.apis.acedata.schema import document_schemas
from mock_server.apis.acedata.settings import AceDataSettings
from mock_server.apis.acedata.tasks import query_tasks
from mock_server.apis.acedata.videos import create_video
from mock_server.apis.api import ApiRoute, VendorApi

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
    of_clients=CLIENT_FACTS,
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
