"""Finds the key of a request, and counts the request against the key's rate limit.

For an unknown key, the refusal says what is probably wrong. It never quotes what was sent, which
may be a key of the real service.
"""

import re
from collections.abc import Iterable, Mapping

from mock_server.core.accounts import Key
from mock_server.core.refusals import KeyMissing, KeyUnknown
from mock_server.core.suggestions import UNSET
from mock_server.edge.call import Call

_MAX_CHARS = 256
_SCHEMES = {"apikey", "api-key", "basic", "digest", "key", "negotiate", "token"}
_OTHER_HEADERS = ("x-api-key", "api-key", "x-auth-token", "x-access-token", "x-authorization")
_QUOTES = "\"'`\u201c\u201d\u2018\u2019"
_PLACEHOLDER = (
    r"\$\{?\w+\}?|\$\(.*\)|%\w+%|\{\{.*\}\}|\{\w+\}|<.*>|process\.env\..*|os\.environ.*"
    r"|(?:your|my)[-_ ].*|(?:api[-_]?)?key|token|[A-Z]+(?:_[A-Z]+)*_(?:KEY|TOKEN|SECRET)"
)


def admit(call: Call, secret: str | None, api: str, *, is_exact: bool) -> Key:
    """The caller's key. Refuses as `KeyRing.admit` does, and adds the probable mistake.
    is_exact: whether the scheme must be exactly `Bearer`, with one space after it."""
    world = call.world
    try:
        return world.keys.admit(secret, api, world.clock)
    except (KeyMissing, KeyUnknown) as refused:
        hint = credential_hint(call.headers, is_exact=is_exact)
        if hint is None and secret:
            near = _nearest(secret.partition("+")[0], _public_keys(call))
            hint = near and f"did you mean '{near}'?"
        raise type(refused)(f"{refused}; {hint}" if hint else str(refused)) from None


def count_request(call: Call, key: Key, *, limit: int, window_s: float) -> None:
    """Count a request against its key's limit, once. Refuses with RateLimited past the limit.
    limit: for keys that have no limit, in requests per window; 0: no limit."""
    limit = limit if key.rate_limit is None else key.rate_limit
    if not limit or call.is_counted:
        return
    clock = call.world.clock
    call.world.rates.count(
        key.secret,
        clock.now_ms(),
        limit=limit,
        window_ms=round(window_s * 1000),
        scale=clock.scale_for_callers,
    )
    call.is_counted = True


def in_flight_limit(key: Key, default: int) -> int:
    """How many tasks of a key may not have ended; 0: any number. default: of keys without one."""
    return default if key.in_flight is None else key.in_flight


def credential_hint(headers: Mapping[bytes, bytes], *, is_exact: bool = False) -> str | None:
    """The end of a sentence that says why a credential is malformed; None if it is well-formed."""
    header = headers.get(b"authorization")
    if header is None:
        other = next((name for name in _OTHER_HEADERS if name.encode() in headers), None)
        return other and f"the header {other} is not read"
    value = header[:_MAX_CHARS].decode("latin-1").strip()
    if not value:
        return "the header Authorization is empty: was a variable not set?"
    scheme, space, rest = value.partition(" ")
    if scheme.lower() != "bearer":
        return _wrong_scheme(scheme, space)
    if not rest.strip():
        return "nothing comes after Bearer: was a variable not set?"
    if is_exact and scheme != "Bearer":
        return "the scheme is written in other letters: it must be 'Bearer'"
    if is_exact and rest != rest.strip():
        return "more than one space comes after Bearer"
    return _wrong_credential(rest.strip())


def _wrong_scheme(scheme: str, space: str) -> str:
    if (found := re.match("bearer([:=,])", scheme, re.IGNORECASE)) is not None:
        return f"a space must follow Bearer, not '{found[1]}'"
    if scheme.lower() in _SCHEMES and space:
        return f"the scheme is '{scheme.lower()}': it must be Bearer"
    return "Authorization does not begin with 'Bearer '"


def _wrong_credential(credential: str) -> str | None:
    first, _, more = credential.partition(" ")
    if first.lower().rstrip(":") == "bearer":
        return "Bearer is there twice" if more else "Bearer is there twice, and no key"
    if credential[0] in _QUOTES or credential[-1] in _QUOTES:
        return "the key is in quotes: send it without them"
    if credential.encode("latin-1").decode("utf-8", "replace")[0] in _QUOTES:
        return "the key is in typographic quotes: send it without them"
    if credential.lower() in UNSET:
        return f"'{credential.lower()}' is no key: a variable was not set"
    if re.fullmatch(_PLACEHOLDER, credential):
        return "that is the name of a key, not its value: replace it with the key"
    if credential.endswith((",", ";")):
        return f"a '{credential[-1]}' follows the key"
    if credential.endswith(("\\n", "\\r", "%0A", "%0D")):
        return "the key ends in an escaped line break"
    if "*" in credential or credential.endswith(("...", "\u2026")):
        return "that is a shortened key: send the whole key"
    if " " in credential or "\t" in credential:
        return "there is white space in the key"
    return None


def _public_keys(call: Call) -> Iterable[str]:
    """The keys of this world that are in the documentation. Others are secret."""
    for api in call.server.apis.values():
        for secret in (api.key, call.server.worlds.own_key(api.key, call.world.name)):
            if call.world.keys.get(secret) is not None:
                yield secret


def _nearest(secret: str, known: Iterable[str]) -> str | None:
    from difflib import get_close_matches  # most servers need it late or never

    by_folded = {each.casefold(): each for each in known}
    found = get_close_matches(secret[:_MAX_CHARS].casefold(), by_folded, n=1, cutoff=0.8)
    return by_folded[found[0]] if found else None
