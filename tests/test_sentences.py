"""The sentence about each common mistake: its place, the rule, and what would be right."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.edge.keys import credential_hint
from tests.asgi import Answer
from tests.mock import KEY, MINIMAL, TOKEN, MakeMock, Mock

APIS = ("rivya", "acedata")
JSON = {"content-type": "application/json"}
KEYS = {"rivya": KEY, "acedata": TOKEN}
UUID = "00000000-0000-4000-8000-000000000000"


def sentence_of(answer: Answer) -> str:
    """The sentence of an answer in any envelope."""
    told = answer.json()
    error = told.get("error") or told
    return str(error.get("message") or error.get("title"))


def ask(mock: Mock, api: str, authorization: str | None, **headers: str) -> Answer:
    """A request that needs nothing but a key."""
    sent = headers if authorization is None else headers | {"authorization": authorization}
    if api == "rivya":
        return mock.request("GET", "/api/v1/credits", headers=sent)
    body = json.dumps({"action": "retrieve_batch", "ids": [UUID]}).encode()
    return mock.request("POST", "/hailuo/tasks", headers=sent | JSON, body=body)


# --- keys ------------------------------------------------------------------------------------

MISSING = "no key came with the request"
UNKNOWN = "this key was never issued"
SLIPS = [
    ("", MISSING, "the header Authorization is empty"),
    ("Bearer", MISSING, "nothing comes after Bearer"),
    ("Bearer ", MISSING, "nothing comes after Bearer"),
    ("~", MISSING, "does not begin with 'Bearer '"),
    ("Bearer:~", MISSING, "a space must follow Bearer, not ':'"),
    ("Bearer: ~", MISSING, "a space must follow Bearer, not ':'"),
    ("Bearer=~", MISSING, "a space must follow Bearer, not '='"),
    ("Key ~", MISSING, "the scheme is 'key': it must be Bearer"),
    ("Token ~", MISSING, "the scheme is 'token': it must be Bearer"),
    ("ApiKey ~", MISSING, "the scheme is 'apikey': it must be Bearer"),
    ("Basic a2V5OnNlY3JldA==", MISSING, "the scheme is 'basic': it must be Bearer"),
    ("Bearer Bearer ~", UNKNOWN, "Bearer is there twice"),
    ("Bearer bearer ~", UNKNOWN, "Bearer is there twice"),
    ("Bearer Bearer", UNKNOWN, "Bearer is there twice, and no key"),
    ('Bearer "~"', UNKNOWN, "in quotes"),
    ("Bearer '~'", UNKNOWN, "in quotes"),
    ("Bearer `~`", UNKNOWN, "in quotes"),
    ("Bearer \u201c~\u201d", UNKNOWN, "in typographic quotes"),
    ("Bearer undefined", UNKNOWN, "'undefined' is no key: a variable was not set"),
    ("Bearer null", UNKNOWN, "'null' is no key"),
    ("Bearer None", UNKNOWN, "'none' is no key"),
    ("Bearer [object Object]", UNKNOWN, "is no key"),
    ("Bearer $RIVYA_API_KEY", UNKNOWN, "the name of a key, not its value"),
    ("Bearer ${RIVYA_API_KEY}", UNKNOWN, "the name of a key, not its value"),
    ("Bearer $(cat key)", UNKNOWN, "the name of a key, not its value"),
    ("Bearer %RIVYA_API_KEY%", UNKNOWN, "the name of a key, not its value"),
    ("Bearer {{api_key}}", UNKNOWN, "the name of a key, not its value"),
    ("Bearer <your key>", UNKNOWN, "the name of a key, not its value"),
    ("Bearer YOUR_API_KEY", UNKNOWN, "the name of a key, not its value"),
    ("Bearer process.env.KEY", UNKNOWN, "the name of a key, not its value"),
    ("Bearer ~,", UNKNOWN, "a ',' follows the key"),
    ("Bearer ~;", UNKNOWN, "a ';' follows the key"),
    ("Bearer ~\\n", UNKNOWN, "the key ends in an escaped line break"),
    ("Bearer ~%0A", UNKNOWN, "the key ends in an escaped line break"),
    ("Bearer ~ ~", UNKNOWN, "there is white space in the key"),
    ("Bearer rvya_sk_****", UNKNOWN, "a shortened key"),
    ("Bearer rvya_sk_...", UNKNOWN, "a shortened key"),
    ("Bearer SECRETIVE", UNKNOWN, None),
]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(("sent", "rule", "slip"), SLIPS)
def test_each_mistake_with_a_key_has_its_sentence_that_repeats_nothing(
    mock: Mock, api: str, sent: str, rule: str, slip: str | None
) -> None:
    answer = ask(mock, api, sent.replace("~", KEYS[api]).encode().decode("latin-1"))
    assert answer.status in {400, 401}
    sentence = sentence_of(answer)
    assert sentence.startswith(rule)
    assert slip is None or slip.translate(str.maketrans("[]", "()")) in sentence
    assert "SECRET" not in sentence
    assert "a2V5" not in sentence
    assert "RIVYA" not in sentence
    told = mock.request("GET", f"/_mock/explain/{answer.headers['mock-request']}").json()
    assert slip is None or slip in told["because"]


@pytest.mark.parametrize("api", APIS)
def test_every_sentence_differs_from_that_of_a_missing_or_unknown_key(mock: Mock, api: str) -> None:
    """The last sentence is that of an unknown key."""
    plain = [sentence_of(ask(mock, api, value)) for value in (None, "Bearer SECRETIVE")]
    for sent, _, slip in SLIPS[:-1]:
        sentence = sentence_of(
            ask(mock, api, sent.replace("~", KEYS[api]).encode().decode("latin-1"))
        )
        assert slip is not None
        assert sentence not in plain


@given(st.binary(max_size=40), st.binary(max_size=40), st.booleans())
def test_no_sentence_repeats_the_header(before: bytes, after: bytes, is_exact: bool) -> None:
    for scheme in (b"", b"Bearer ", b"bearer ", b"Token "):
        headers = {b"authorization": scheme + before + b"S3CR3T" + after}
        assert "S3CR3T" not in str(credential_hint(headers, is_exact=is_exact))


def test_the_sentence_names_the_right_prefix_of_ace_data_cloud(mock: Mock) -> None:
    assert "must be 'Bearer'" in sentence_of(ask(mock, "acedata", f"bearer {TOKEN}"))
    assert "more than one space" in sentence_of(ask(mock, "acedata", f"Bearer  {TOKEN}"))


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", ["x-api-key", "api-key", "x-auth-token"])
def test_a_key_in_another_header_is_mentioned(mock: Mock, api: str, name: str) -> None:
    answer = ask(mock, api, None, **{name: KEYS[api]})
    assert f"the header {name} is not read" in sentence_of(answer)


@pytest.mark.parametrize(
    ("api", "sent"),
    [*(("rivya", sent) for sent in ("rvya_sk_tset", "rvya_sk_tset+no_such", "RVYA_SK_TEST",
                                    "rvya-sk-test", "rvya_sk_test1")),
     ("acedata", "test_token"), ("acedata", "test-tokn")],
)  # fmt: skip
def test_a_refused_key_that_is_near_a_built_in_one_names_that_one(
    mock: Mock, api: str, sent: str
) -> None:
    assert f"did you mean '{KEYS[api]}'?" in sentence_of(ask(mock, api, f"Bearer {sent}"))


def test_built_in_keys_of_a_world_are_named_only_in_that_world(mock: Mock) -> None:
    mock.request("POST", "/_mock/worlds", headers=JSON, body=b'{"name": "one"}')
    sent = {"authorization": f"Bearer {KEY}"}
    in_world = mock.request("GET", "/w/one/api/v1/credits", headers=sent)
    assert f"did you mean '{KEY}-one'?" in sentence_of(in_world)
    outside = ask(mock, "rivya", f"Bearer {KEY}-on")
    assert "-one" not in sentence_of(outside)


@pytest.mark.parametrize("sent", ["rvya_sk_secre", "rvya_sk_secretx", "rvya_sk_SECRET"])
def test_a_key_of_the_settings_is_never_named(make_mock: MakeMock, sent: str) -> None:
    """It may be a real one, and suggestions would reveal it letter by letter."""
    keys = [{"key": "rvya_sk_secret", "api": "rivya"}]
    mock = make_mock(accounts=[{"name": "a", "credits": 1, "keys": keys}])
    assert sentence_of(ask(mock, "rivya", f"Bearer {sent}")) == UNKNOWN


def test_an_unknown_key_without_a_near_one_has_no_suggestion(mock: Mock) -> None:
    for sent in ("rvya_sk_nobody", "rvya_sk_live_0123456789", "x", "x" * 10_000):
        assert "did you mean" not in sentence_of(ask(mock, "rivya", f"Bearer {sent}"))


# --- paths -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/api/v1/api/v1/credits", "/api/v1 is in it twice: the path is '/api/v1/credits'"),
        ("/api/v1/api/v1/generations/task_1", "the path is '/api/v1/generations/task_1'"),
        ("/hailuo/hailuo/videos", "/hailuo is in it twice: the path is '/hailuo/videos'"),
        ("/api/v1/credits/", "it ends with a slash: the path is '/api/v1/credits'"),
        ("/api/v1/generations/task_1/", "the path is '/api/v1/generations/task_1'"),
        ("/hailuo/videos/", "it ends with a slash: the path is '/hailuo/videos'"),
        ("//hailuo/videos", "remove the one at the end of the base URL"),
        ("//api/v1/credits", "the path is '/api/v1/credits'"),
        ("/api//v1/credits", "it has two slashes in a row"),
        ("/api/v1/hailuo/videos", "did you mean '/hailuo/videos'?"),
        ("/hailuo/api/v1/credits", "did you mean '/api/v1/credits'?"),
        ("/v1/generations", "did you mean '/api/v1/generations'?"),
        ("/api/generations", "did you mean '/api/v1/generations'?"),
        ("/generations/task_1", "did you mean '/api/v1/generations/task_1'?"),
        ("/api/v2/credits", "did you mean '/api/v1/credits'?"),
        ("/api/v1/generation", "did you mean '/api/v1/generations'?"),
        ("/api/v1/Generations", "did you mean '/api/v1/generations'?"),
        ("/videos", "did you mean '/hailuo/videos'?"),
        ("/hailuo/video", "did you mean '/hailuo/videos'?"),
        ("/hailuo/zzzzz", "POST /hailuo/videos and POST /hailuo/tasks are"),
        ("/nothing/like/it", "Rivya's begin with /api/v1/, Ace Data Cloud's with /hailuo/"),
        ("/", "the page is at /_mock/"),
        ("/_mock/world", "did you mean '/_mock/worlds'?"),
        ("/_mock/worlds/default/request", "did you mean '/_mock/worlds/default/requests'?"),
        (
            "/w/defualt/api/v1/credits",
            "there is no world called 'defualt'; did you mean 'default'?",
        ),
        ("/w/defualt/hailuo/videos", "there is no world called 'defualt'; did you mean 'default'?"),
        ("/w/zzz", "there is no world called 'zzz'"),
        ("/w/default/api/v1/credits/", "the path is '/api/v1/credits'"),
        ("/" + "a/" * 5000, "Rivya's begin with /api/v1/"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_refused_with_a_near_one(
    mock: Mock, path: str, told: str, method: str
) -> None:
    answer = mock.request(method, path)
    assert answer.status == 404
    assert told in sentence_of(answer)


@pytest.mark.parametrize("path", ["/no-such-service/videos", "/", "/v2/x", "/w/nobody/x"])
@pytest.mark.parametrize(
    ("key", "style"),
    [
        (KEY, "rivya"),
        (f"{KEY}+stuck", "rivya"),
        ("rvya_sk_unknown", "rivya"),
        (TOKEN, "acedata"),
        ("unknown", "plain"),
        (None, "plain"),
    ],
)
def test_a_neutral_path_is_answered_in_the_style_of_the_key(
    mock: Mock, path: str, key: str | None, style: str
) -> None:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    answer = mock.request("POST", path, headers=headers)
    assert answer.status == 404
    members = {"rivya": {"error"}, "acedata": {"success", "error", "trace_id"}}
    plain = {"title", "status", "instance"}
    assert set(answer.json()) == members.get(style, plain)


@pytest.mark.parametrize(
    ("path", "style"),
    [("/api/v1/x", {"error"}), ("/hailuo/x", {"success", "error", "trace_id"})],
)
@pytest.mark.parametrize("key", [KEY, TOKEN])
def test_a_path_with_a_prefix_is_answered_in_its_style_for_every_key(
    mock: Mock, path: str, style: set[str], key: str
) -> None:
    answer = mock.request("GET", path, headers={"authorization": f"Bearer {key}"})
    assert set(answer.json()) == style


@pytest.mark.parametrize("key", [KEY, TOKEN])
def test_door_and_media_have_error_answers_of_their_own(mock: Mock, key: str) -> None:
    for path in ("/_mock/nothing", "/media/x"):
        answer = mock.request("GET", path, headers={"authorization": f"Bearer {key}"})
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("prefix", ["", "/w/default"])
def test_a_browser_at_the_root_goes_to_the_page(mock: Mock, prefix: str) -> None:
    accept = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = mock.request("GET", f"{prefix}/", headers=accept)
    assert (answer.status, answer.headers["location"]) == (307, "_mock/")
    told = mock.request("GET", f"/_mock/explain/{answer.headers['mock-request']}").json()
    assert told["because"] == "no rule was checked: this path belongs to no API"


# --- ids -------------------------------------------------------------------------------------

IDS = {
    "task_1": "one of Rivya's generations",
    "file_1": "a file: GET /api/v1/files/{id}",
    "whend_1": "a webhook endpoint",
    UUID: "one of Ace Data Cloud's tasks",
    "evt_1": "an event",
    "whdel_1": "a webhook delivery",
    "delivery_1": "a delivery of the control door",
    "req_1": "a request: GET /_mock/explain/{id}",
}
PLACES = {"task_1": "/generations/", "file_1": "/files/", "whend_1": "/webhooks/", UUID: ""}


@pytest.mark.parametrize("wanted", PLACES)
@pytest.mark.parametrize("given", [*IDS, "undefined", "None", "{taskId}", "<id>", "nonsense"])
def test_an_id_of_another_kind_is_refused_with_its_kind(
    mock: Mock, wanted: str, given: str
) -> None:
    if wanted == UUID:
        answer = mock.acedata("/tasks", {"id": given})
    else:
        answer = mock.rivya("GET", PLACES[wanted] + given)
    assert answer.status == 404
    sentence = sentence_of(answer)
    if given in {"undefined", "None"}:
        assert f"'{given.lower()}' is no id: a variable was not set" in sentence
    elif given in {"{taskId}", "<id>"}:
        assert "that is a placeholder" in sentence
    elif given in {wanted, "nonsense"}:
        assert ";" not in sentence
    else:
        assert f"that is the id of {IDS[given]}" in sentence


@pytest.mark.parametrize("wanted", PLACES)
def test_an_id_of_another_account_is_refused_like_an_unknown_one(
    make_mock: MakeMock, wanted: str
) -> None:
    accounts = [
        {
            "name": name,
            "credits": 1000,
            "keys": [
                {"key": f"rvya_sk_{name}", "api": "rivya"},
                {"key": f"token-{name}", "api": "acedata"},
            ],
        }
        for name in ("one", "two")
    ]
    mock = make_mock(accounts=accounts)
    body = {"action": "generate", "prompt": "a", "async": True}
    hook = {"url": "https://a.example/", "event_types": ["generation.failed"]}
    made = {
        "task_1": lambda: mock.rivya("POST", "/generations", MINIMAL, key="rvya_sk_one").json()[
            "id"
        ],
        "file_1": lambda: mock.upload(key="rvya_sk_one").json()["id"],
        "whend_1": lambda: mock.rivya("POST", "/webhooks", hook, key="rvya_sk_one").json()["id"],
        UUID: lambda: mock.acedata("/videos", body, token="token-one").json()["task_id"],
    }[wanted]()
    sentences = set()
    for sent in (made, wanted):
        if wanted == UUID:
            answer = mock.acedata("/tasks", {"id": sent}, token="token-two")
        else:
            answer = mock.rivya("GET", PLACES[wanted] + sent, key="rvya_sk_two")
        sentences.add(sentence_of(answer))
    assert len(sentences) == 1


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"action": "retrieve", "task_id": UUID}, "/id: is required; was it sent as 'task_id'?"),
        ({"task_id": UUID}, "/id: is required; was it sent as 'task_id'?"),
        ({"taskId": UUID}, "was it sent as 'taskId'?"),
        ({"Id": UUID}, "was it sent as 'Id'?"),
        ({"action": "retrieve_batch", "task_ids": [UUID]}, "was it sent as 'task_ids'?"),
        ({"action": "retrieve_batch", "id": UUID}, "/ids: is required; was it sent as 'id'?"),
    ],
)
def test_an_id_under_another_name_is_refused_with_the_right_name(
    mock: Mock, body: Any, told: str
) -> None:
    answer = mock.acedata("/tasks", body)
    assert answer.status == 400
    assert told in sentence_of(answer)


# --- bodies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"prompt": "a",}', "must be JSON: there is a comma before the '}' at line 1, column 1"),
        (b'{"ids": ["a", "b", ]}', "there is a comma before the ')'"),
        (b'{"prompt": "a",\n}', "there is a comma before the '}'"),
        (b"{'prompt': 'a'}", "double quotes"),
        (b"{\"prompt\": 'a'}", "double quotes"),
        (b'{"async": True}', "it is spelled true, not True"),
        (b'{"async": None}', "it is spelled null, not None"),
        (b'{"prompt": undefined}', "it is spelled null, not undefined"),
        (b'{"prompt": "a" // why\n}', "JSON has no comments"),
        (b'{"prompt": "a" "b"}', "Expecting ',' delimiter"),
    ],
)
def test_a_mistake_in_json_is_named(mock: Mock, api: str, body: bytes, told: str) -> None:
    if api == "rivya":
        answer = mock.rivya("POST", "/generations", body)
    else:
        answer = mock.acedata("/videos", body)
    assert answer.status == 400
    assert told in sentence_of(answer).replace("]", ")")
