"""Which folders may import which, and what start-up must not load. Reads the sources."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import mock_server

PACKAGE = Path(mock_server.__file__).parent

# The rooms of mock_server. A room imports from lower levels only, and from itself; an import for
# types alone counts, too.
LEVELS = {
    "judge": 9,  # runs a client through bad days
    "mcp": 9,  # the control door as tools for agents
    "server": 8,  # the process: sockets, signals, threads
    "door": 7,  # the control door and its page
    "apis": 6,  # the faked APIs
    "faults": 6,  # scenarios and what goes wrong
    "durable": 5,  # worlds in a file
    "edge": 5,  # HTTP, for all APIs
    "simulation": 4,  # worlds, and what wakes them
    "outgoing": 3,  # deliveries on their way
    "watch": 3,  # what happens in a world, in a terminal
    "config": 2,  # settings
    "contract": 2,  # schemas and rules of bodies
    "control": 2,  # the control door as a client
    "verdict": 2,  # the rules that judge a client
    "core": 1,  # the rules
}
AT_THE_TOP = {"__init__.py", "__main__.py", "pytest_plugin.py"}

# Who must not mention what, and why. A name stands for everything below it as well.
APART = "two APIs share the rules, never the wire"
NEVER = [
    ("mock_server.core", "mock_server", "the rules know nothing of what is around them"),
    ("mock_server.apis.rivya", "mock_server.apis.acedata", APART),
    ("mock_server.apis.acedata", "mock_server.apis.rivya", APART),
    ("mock_server", "tests", "what is installed does not need what is not"),
    ("mock_server", "benchmarks", "what is installed does not need what is not"),
    ("mock_server", "yaml", "the base install has no YAML library"),
    ("mock_server", "contract_tests", "the suite judges the server from outside"),
]

# The command starts the suite; nothing else of the server knows it, and start-up does not load it.
MAY = {("mock_server.__main__", "contract_tests")}

# All that the rules may take from the standard library: nothing here knows the time, chance, the
# environment or a network. `datetime` is for writing times down; reading the clock with it is
# refused below. `msgspec` is there for values that the garbage collector can leave out.
CORE_MAY_MENTION = {
    "abc", "base64", "bisect", "collections", "contextlib", "copy", "dataclasses",
    "datetime", "difflib",
    "enum", "fnmatch", "functools", "hashlib", "heapq", "hmac", "ipaddress", "itertools", "math",
    "msgspec",
    "operator", "re", "reprlib", "string", "struct", "types", "typing", "unicodedata",
}  # fmt: skip

# Python's own regular expressions may take for ever; this library's do not, and they do no I/O.
CORE_MAY_ALSO = {
    "mock_server.core.patterns": [
        "jsonschema_rs.Draft202012Validator",
        "jsonschema_rs.RegexOptions",
    ],
    "mock_server.verdict.request_log": ["threading.Lock"],  # judgements are made in threads
    "mock_server.verdict.requests": ["email.utils.parsedate_to_datetime"],
    # Part of the program as its modules are: the words of the rules, one file a rule.
    "mock_server.verdict.catalogue": ["importlib.import_module", "pathlib.Path", "tomllib.loads"],
}

# What only one module may touch, or each program's first, so that a test can put something of its
# own in its place.
CLOCKS = [
    "time",
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today",
    "datetime.date.today",
]  # fmt: skip
CHANCES = ["random", "secrets", "uuid.uuid1", "uuid.uuid4", "os.urandom", "os.getrandom"]
ENVIRONMENT = ["os.environ", "os.environb", "os.getenv", "os.putenv"]
PROGRAMS = ["mock_server.__main__", "mock_server.pytest_plugin"]
ONE_HOME = [
    (CLOCKS, ["mock_server.simulation.wall_clock"], "everything else asks a world's clock"),
    (CHANCES, ["mock_server.core.chance"], "everything else draws from the seed"),
    (ENVIRONMENT, PROGRAMS, "everything else is handed its settings"),
]

# What start-up must not load. Each takes milliseconds and longer, or is not installed at all where
# only the server is.
NOT_AT_START = [
    "contract_tests",
    "difflib", "hypothesis", "httpx2", "jsonschema", "jsonschema_rs", "mcp", "mcp_types",
    "pydantic", "pytest", "requests", "schemathesis", "sqlite3", "yaml",
]  # fmt: skip


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the package, by its full name."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        yield ".".join(parts).removesuffix(".__init__"), path


def mentions(source: str) -> dict[str, int]:
    """Everything imported, and every attribute of it that is used: its full name and line."""
    tree = ast.parse(source)
    known: dict[str, str] = {}  # what a name in this file stands for
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.name] = node.lineno
                top = alias.name.partition(".")[0]
                known[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports here say the full name"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found[name] = node.lineno
                known[alias.asname or alias.name] = name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (name := _dotted(node, known)):
            found[name] = node.lineno
    return found


def _dotted(node: ast.expr, known: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return known.get(node.id, "")
    if isinstance(node, ast.Attribute) and (owner := _dotted(node.value, known)):
        return f"{owner}.{node.attr}"
    return ""


def is_in(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


@cache
def mentioned() -> dict[str, dict[str, int]]:
    """What each module imports and uses, by its name."""
    return {name: mentions(path.read_text("utf-8")) for name, path in modules()}


@pytest.mark.parametrize(("room", "forbidden", "why"), NEVER)
def test_the_core_imports_nothing_above_it(room: str, forbidden: str, why: str) -> None:
    wrong = [
        f"{module}:{line} mentions {name}"
        for module, names in mentioned().items()
        for name, line in names.items()
        if is_in(module, room)
        and is_in(name, forbidden)
        and not is_in(name, room)
        and (module, forbidden) not in MAY
    ]
    assert wrong == [], why


def test_every_module_is_in_a_folder_of_the_table() -> None:
    assert {path.name for path in PACKAGE.glob("*.py")} == AT_THE_TOP
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders == set(LEVELS)


def test_folders_import_from_lower_levels_only() -> None:
    upwards = {
        (module, other)
        for module, names in mentioned().items()
        for name in names
        if (room := _room(module)) and (other := _room(name)) and other != room
        if LEVELS[other] >= LEVELS[room]
    }
    assert upwards == set()


def _room(name: str) -> str | None:
    """The folder that a module is in, if it is in one."""
    _, _, rest = name.partition("mock_server.")
    room = rest.partition(".")[0]
    return room if name.startswith("mock_server.") and room in LEVELS else None


def test_the_rules_use_only_what_is_pure() -> None:
    wrong = [
        f"{module}:{line} mentions {name}"
        for module, names in mentioned().items()
        for name, line in names.items()
        if is_in(module, "mock_server.core") or is_in(module, "mock_server.verdict")
        if not is_in(name, "mock_server.core")
        and not is_in(name, "mock_server.verdict")
        and name.partition(".")[0] not in CORE_MAY_MENTION
        and name not in CORE_MAY_ALSO.get(module, set())
        and not is_in(name, "urllib.parse")  # its other half talks to the network
    ]
    assert wrong == [], "the rules know no HTTP, clock, chance, environment or event loop"


@pytest.mark.parametrize(("things", "homes", "why"), ONE_HOME)
def test_time_chance_and_network_have_one_module_each(
    things: list[str], homes: list[str], why: str
) -> None:
    assert set(homes) <= set(mentioned())
    wrong = [
        f"{module}:{line} mentions {name}"
        for module, names in mentioned().items()
        for name, line in names.items()
        if module not in homes and any(is_in(name, thing) for thing in things)
    ]
    assert wrong == [], why


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import time", "time"),
        ("import time as t\nt.monotonic()", "time.monotonic"),
        ("from time import time as now", "time.time"),
        ("def f():\n    import random", "random"),
        (
            "if TYPE_CHECKING:\n    from mock_server.apis.rivya import response_bodies",
            "mock_server.apis.rivya.response_bodies",
        ),
        ("import os\nkey = os.environ['KEY']", "os.environ"),
        ("import os.path\nos.urandom(8)", "os.urandom"),
        ("from datetime import datetime\ndatetime.now(UTC)", "datetime.datetime.now"),
        ("import datetime as dt\ndt.datetime.now()", "datetime.datetime.now"),
        ("import uuid\nuuid.uuid4().hex", "uuid.uuid4"),
    ],
)
def test_every_form_of_import_is_recognised(source: str, name: str) -> None:
    assert name in mentions(source)


def test_the_server_starts_without_what_it_may_never_need() -> None:
    start = """
import json, sys
from mock_server import __main__
from mock_server.server import serve
from mock_server.server.app import make_app
from mock_server.server.make_server import make_server
from mock_server.apis import ALL
from mock_server.config.sources import read_settings
settings, _ = read_settings(flags={}, environment={}, file=None, apis=ALL)
make_app(make_server(settings, lambda: 0))
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
    done = subprocess.run(
        [sys.executable, "-c", start], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = json.loads(done.stdout)
    assert "uvicorn" in loaded
    assert [name for name in NOT_AT_START if name in loaded] == []
