"""A made-up third API, in the form of those in `mock_server/apis/`."""

from __future__ import annotations

import re
from pathlib import Path

from mock_server.apis.api import ApiRoute, VendorApi
from mock_server.core.apis import IdKind
from tests.apis.made_up.errors import lumen_errors
from tests.apis.made_up.handlers import create_job, get_credits, get_job
from tests.apis.made_up.notices import Notices
from tests.apis.made_up.settings import LumenSettings

FOLDER = Path(__file__).parent

LUMEN = VendorApi(
    name="lumen",
    title="Lumen Studio",
    short_title="Lumen",
    prefix="/lumen/v2",
    own_paths="/lumen/",
    settings=LumenSettings,
    account="lumen-test",
    key="lum_test",
    key_prefix="lum_",
    create_path="/lumen/v2/jobs",
    create_body={"model": "lumen-1", "prompt": "A city at night"},
    operations=("create", "read", "credits", "media"),
    task_id=lambda ids, number: f"job-{ids.hex('task', number, 12)}",
    id_kinds=(IdKind(re.compile("job-"), "a job of Lumen Studio: GET /lumen/v2/jobs/{id}"),),
    signs_time=False,
    has_endpoints=False,
    errors=lumen_errors,
    routes=(
        ApiRoute("/lumen/v2/jobs", "create", {"POST": create_job}),
        ApiRoute("/lumen/v2/jobs/{task_id}", "read", {"GET": get_job}),
        ApiRoute("/lumen/v2/credits", "credits", {"GET": get_credits}),
    ),
    event_writer=lambda settings: Notices(settings.of(LumenSettings)),
    schemas=FOLDER / "schemas",
)
