"""The rules for Ace Data Cloud's request bodies, from its schema files and models.

`Contract.of` compiles each at its first use."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from mock_server.contract.contract import Contract
from mock_server.contract.request_rules import OrderRules, Schema, require_field
from mock_server.contract.unions import open_list_of_codes, union_of_conditions, union_of_models
from mock_server.contract.violations import BodyRules
from mock_server.core.catalog import Model


def video_rules(contract: Contract) -> OrderRules:
    """The rules for creating a video."""
    general = contract.schema("acedata/video-request")
    return OrderRules(general, contract.catalog.of("acedata"), video_schema)


def task_query_rules(contract: Contract) -> BodyRules:
    """The rules for a task query."""
    return BodyRules(contract.schema("acedata/task-query"))


def document_schemas(contract: Contract) -> Mapping[str, Schema]:
    """The schemas that replace the general ones in the OpenAPI document."""
    video = contract.document_schema("acedata/video-request")
    task_query = contract.document_schema("acedata/task-query")
    return {
        **union_of_models(video, contract.per_model("acedata/video-request", video_schema)),
        **union_of_conditions(task_query, "action", "Retrieve"),
        **open_list_of_codes(contract.document_schema("acedata/error-codes")),
    }


def video_schema(general: Mapping[str, Any], model: Model) -> Schema:
    """The schema of a create for one model. Only the default model may be left out."""
    schema = deepcopy(dict(general))
    schema.pop("anyOf", None)  # made definite below
    schema["properties"]["model"] |= {"const": model.id}
    require_field(schema, "model", when=not model.facts["is_default"])
    require_field(schema, "prompt", when=model.facts["needs_prompt"])
    require_field(schema, "first_image_url", when=model.facts["needs_image"])
    return schema
