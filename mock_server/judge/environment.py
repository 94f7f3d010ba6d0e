"""The environment of the program that is judged: what it needs, what is named, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from msgspec import Struct

from mock_server.core.apis import ApiFacts
from mock_server.core.suggestions import did_you_mean
from mock_server.judge.refusal import CannotRun

What = Literal["url", "key", "secret", "callback", "dir"]
"""What a variable has: the base URL of the API, its key, the secret of the webhooks, the URL for
callbacks, or an empty folder that stays when the program is started again."""

Variables = Mapping[str, What]
"""The variables of a client, by their names."""

_FROM_USER = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH",
    "SYSTEMROOT", "COMSPEC", "PATHEXT", "USERPROFILE",
)  # fmt: skip
"""The user's variables without which programs do not start, or speak another language."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_LOOPBACK = "127.0.0.1,localhost,::1"
FOLDER = "TMPDIR"
"""The variable whose value is different for each run."""

OWN = frozenset({FOLDER, *_PROXIES, "NO_PROXY"}.union(map(str.lower, (*_PROXIES, "NO_PROXY"))))
"""The variables that always have a value of the judge's."""


class RunValues(Struct, frozen=True):
    """The values of one run, one for each `What`. temporary: the folder for temporary files."""

    url: str
    key: str
    secret: str
    callback: str
    dir: str
    temporary: str
    proxy: str


def usual_variables(api: ApiFacts) -> Variables:
    """The variables of a client of this API if none are named."""
    prefix = api.name.upper()
    return {
        f"{prefix}_BASE_URL": "url",
        f"{prefix}_{api.key_variable}": "key",
        "WEBHOOK_SECRET": "secret",
        "CALLBACK_URL": "callback",
        "STATE_DIR": "dir",
    }


def variables_of(options: Iterable[str]) -> Variables:
    """The variables in options of the form `NAME=what`. Raises CannotRun."""
    found: dict[str, What] = {}
    for option in options:
        name, _, what = option.partition("=")
        if not name or "\0" in name or what not in get_args(What):
            known = ", ".join(get_args(What))
            hint = did_you_mean(what, get_args(What))
            raise CannotRun(
                f"--env {option}: must be NAME=WHAT, where WHAT is one of {known}{hint}"
            )
        if name in found:
            raise CannotRun(f"--env {option}: {name} is given twice; keep one of the two")
        _require_free("--env", option, name)
        found[name] = what  # type: ignore[assignment] # it is one of them
    return found


def passed_of(
    names: Iterable[str], user: Mapping[str, str], variables: Variables
) -> tuple[str, ...]:
    """The user's variables that the program gets, too. Raises CannotRun."""
    for name in names:
        if name not in user:
            raise CannotRun(f"--pass-env {name}: you have no such variable")
        if name in variables:
            raise CannotRun(f"--pass-env {name}: the judge gives {name} a value; leave it out")
        _require_free("--pass-env", name, name)
    return tuple(names)


def _require_free(option: str, given: str, name: str) -> None:
    if name in OWN:
        own = "its folder for temporary files" if name == FOLDER else "the proxy that refuses"
        raise CannotRun(f"{option} {given}: {name} leads to {own}; take another name")


def environment_of(
    user: Mapping[str, str], variables: Variables, values: RunValues, passed: Iterable[str] = ()
) -> dict[str, str]:
    """The environment of a run. passed: further names of the user's variables."""
    kept = {name: user[name] for name in (*_FROM_USER, *passed) if name in user}
    proxies = dict.fromkeys(_PROXIES, values.proxy)
    no_proxy = {"NO_PROXY": _LOOPBACK}
    return {
        # What a program prints is seen at once, also if it is killed; Node.js obeys the proxies.
        "PYTHONUNBUFFERED": "1",
        "NODE_USE_ENV_PROXY": "1",
        **kept,
        FOLDER: values.temporary,
        **proxies,
        **no_proxy,
        **{name.lower(): value for name, value in (proxies | no_proxy).items()},
        **{name: getattr(values, what) for name, what in variables.items()},
    }
