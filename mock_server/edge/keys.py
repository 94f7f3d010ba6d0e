"""Whose key came with a request; and of one that opens nothing, what is probably wrong with it.

What came is never repeated: it may be a real key, meant for the real service.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from mock_server.config.settings import DEFAULT_ACCOUNTS
from mock_server.core.accounts import Key
from mock_server.core.refusals import KeyMissing, KeyUnknown
from mock_server.core.suggestions import UNSET

if TYPE_CHECKING:
    from mock_server.edge.call import Call

_BUILT_IN = tuple(key.key for account in DEFAULT_ACCOUNTS for key in account.keys)
_LOOKED_AT = 256
_SCHEMES = {"apikey", "api-key", "basic", "digest", "key", "negotiate", "token"}
_OTHER_HEADERS = ("x-api-key", "api-key", "x-auth-token", "x-access-token", "x-authorization")
_QUOTES = "\"'`\u201c\u201d\u2018\u2019"
_NAME_OF_VARIABLE = re.compile(
    r"\$\{?\w+\}?|\$\(.*\)|%\w+%|\{\{.*\}\}|\{\w+\}|<.*>|process\.env\..*|os\.environ.*"
    r"|(?:your|my)[-_ ].*|(?:api[-_]?)?key|token|[A-Z]+(?:_[A-Z]+)*_(?:KEY|TOKEN|SECRET)"
)


def admit(call: Call, secret: str | None, api: str, *, is_exact: bool) -> Key:
    """The caller's key. Refuses as `KeyRing.admit` does, and says which slip it looks like.

    is_exact: whether the scheme is `Bearer` in these very letters, with one space after it.
    """
    world = call.world
    try:
        return world.keys.admit(secret, api, world.clock.now_ms())
    except (KeyMissing, KeyUnknown) as refused:
        slip = slip_in(call.headers, is_exact=is_exact)
        if slip is None and secret:
            near = _nearest(secret.partition("+")[0], _public(call))
            slip = near and f"did you mean '{near}'?"
        raise type(refused)(f"{refused}; {slip}" if slip else str(refused)) from None


def slip_in(headers: Mapping[bytes, bytes], *, is_exact: bool = False) -> str | None:
    """What is wrong with the form of a credential, in half a sentence; None if nothing is."""
    header = headers.get(b"authorization")
    if header is None:
        other = next((name for name in _OTHER_HEADERS if name.encode() in headers), None)
        return other and f"the header {other} is not looked at"
    value = header[:_LOOKED_AT].decode("latin-1").strip()
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
        return f"after Bearer comes a space, not '{found[1]}'"
    if scheme.lower() in _SCHEMES and space:
        return f"the scheme is '{scheme.lower()}': it must be Bearer"
    return "Authorization does not begin with 'Bearer '"


def _wrong_credential(credential: str) -> str | None:
    first, _, more = credential.partition(" ")
    if first.lower().rstrip(":") == "bearer":
        return "Bearer stands there twice" if more else "Bearer stands there twice, and no key"
    if credential[0] in _QUOTES or credential[-1] in _QUOTES:
        return "the key stands in quotes: send it without them"
    if _as_utf8(credential)[0] in _QUOTES:
        return "the key stands in typographic quotes: send it without them"
    if credential.lower() in UNSET:
        return f"'{credential.lower()}' is no key: a variable was not set"
    if _NAME_OF_VARIABLE.fullmatch(credential):
        return "that is the name of a key, not its value: something was to be put in its place"
    if credential.endswith((",", ";")):
        return f"a '{credential[-1]}' stands behind the key"
    if credential.endswith(("\\n", "\\r", "%0A", "%0D")):
        return "the key ends in a line break, written out"
    if "*" in credential or credential.endswith(("...", "\u2026")):
        return "that is a shortened key, as it is shown, and not the whole"
    if " " in credential or "\t" in credential:
        return "there is white space in the key"
    return None


def _as_utf8(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace")


def _public(call: Call) -> Iterable[str]:
    """The keys of this world that are in the documentation: any other is told to nobody."""
    for built_in in _BUILT_IN:
        for secret in (built_in, f"{built_in}-{call.world.name}"):
            if call.world.keys.get(secret) is not None:
                yield secret


def _nearest(secret: str, known: Iterable[str]) -> str | None:
    by_folded = {each.casefold(): each for each in known}
    found = get_close_matches(secret[:_LOOKED_AT].casefold(), by_folded, n=1, cutoff=0.8)
    return by_folded[found[0]] if found else None
