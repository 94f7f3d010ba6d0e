"""Uses the client that was generated for Rivya: creates a generation and waits for its end."""

from __future__ import annotations

import sys
import time
from io import BytesIO
from uuid import uuid4

from client import AuthenticatedClient
from client.api.rivya import (
    create_generation,
    get_credits,
    get_generation,
    list_models,
    upload_file,
)
from client.models.credits_ import Credits
from client.models.file_upload import FileUpload
from client.models.file_upload_kind import FileUploadKind
from client.models.generation_failed import GenerationFailed
from client.models.generation_request_hailuo_standard import GenerationRequestHailuoStandard
from client.models.generation_request_hailuo_standard_params import (
    GenerationRequestHailuoStandardParams as Params,
)
from client.models.generation_request_hailuo_standard_params_duration import (
    GenerationRequestHailuoStandardParamsDuration as Duration,
)
from client.models.generation_request_hailuo_standard_params_reference_media_items_item import (
    GenerationRequestHailuoStandardParamsReferenceMediaItemsItem as Item,
)
from client.models.generation_request_hailuo_standard_params_reference_media_items_item_kind import (  # noqa: E501
    GenerationRequestHailuoStandardParamsReferenceMediaItemsItemKind as Kind,
)
from client.models.generation_succeeded import GenerationSucceeded
from client.models.generation_unfinished import GenerationUnfinished
from client.models.model_list import ModelList
from client.models.public_api_file import PublicApiFile
from client.models.rivya_error import RivyaError
from client.types import File

PNG = b"\x89PNG\r\n\x1a\n"

api = AuthenticatedClient(
    base_url=sys.argv[1], token="rvya_sk_test", raise_on_unexpected_status=True
)

models = list_models.sync(client=api)
assert isinstance(models, ModelList)
assert "hailuo-standard" in [model.id for model in models.data]

sent = File(payload=BytesIO(PNG), file_name="first.png", mime_type="image/png")
uploaded = upload_file.sync(client=api, body=FileUpload(file=sent, kind=FileUploadKind.IMAGE))
assert isinstance(uploaded, PublicApiFile)

params = Params(
    duration=Duration.VALUE_1,
    reference_media_items=[Item(url=uploaded.url, kind=Kind.IMAGE)],
)
body = GenerationRequestHailuoStandard(model="hailuo-standard", prompt="A kite", params=params)
created = create_generation.sync(client=api, body=body, idempotency_key=uuid4().hex)
assert isinstance(created, GenerationUnfinished | GenerationSucceeded)  # time passes quickly
assert created.reserved_credits == 30

read = get_generation.sync(created.id, client=api)
while isinstance(read, GenerationUnfinished):
    time.sleep(0.1)
    read = get_generation.sync(created.id, client=api)
assert not isinstance(read, GenerationFailed)
assert isinstance(read, GenerationSucceeded)
assert read.result.urls[0] == read.result.primary_url
assert read.error is None

refused = get_generation.sync("task_of_nobody", client=api)
assert isinstance(refused, RivyaError)
assert refused.error.code == "not_found"
balance = get_credits.sync(client=api)
assert isinstance(balance, Credits)
