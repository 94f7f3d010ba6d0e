"""The expressions of the proxies find the same shard as the server does."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from mock_server.apis import ALL
from mock_server.core.shards import Shard, ShardMarks
from mock_server.edge.own_shard import shard_of_request
from tools.proxy import DEPLOY

NGINX = re.compile(
    re.findall(r'"~(\^.+)" \$world\$key;', (DEPLOY / "nginx" / "nginx.conf").read_text("utf-8"))[0]
    .replace("(?<", "(?P<")
    .replace("(?P<=", "(?<=")
)
HAPROXY = re.compile((DEPLOY / "haproxy" / "shard.map").read_text("utf-8").split(" ")[0])

MARKS = ShardMarks(Shard(0, 1000), [api.key_prefix for api in ALL])
NAMES = ["", "w2", "w2-a", "w10-a", "w012-a", "w1000-a", "w0-a", "w3x", "default", "-", "w"]
PATHS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(
            ["/", "/w/", "/media/", "/_mock/worlds/", "/_mock/inbox/", "/w", "/api/v1/", "//w/"]
        ),
        st.sampled_from(NAMES),
        st.sampled_from(["", "/", "/api/v1/credits", "/w5-b", "?w6-", "/?a=/w/w7-"]),
    ),
)
KEYS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "rvya_sk_", "rvya_", "rvya_sk_rvya_sk_", "x"]),
        st.sampled_from([*NAMES, "test+w8-", "w4-test+w8-"]),
    ),
).filter(bool)


@given(PATHS, KEYS, st.sampled_from(["Bearer", "bearer", "Token"]))
@example("/w/w2-a/api/v1/credits", "rvya_sk_w3-b", "Bearer")
@example("/w//api/v1/credits", "rvya_sk_w3-b", "Bearer")
@example("/w/default/api/v1/credits", "rvya_sk_w3-b", "Bearer")
@example("/_mock/worlds", "rvya_sk_w3-b+rate_limited", "Bearer")
def test_a_proxy_sends_a_request_where_its_world_is(target: str, key: str, scheme: str) -> None:
    asked = f"POST {target} {scheme} {key}"
    shard = shard_of_request(target.partition("?")[0], key, MARKS)
    for expression in (NGINX, HAPROXY):
        found = expression.match(asked)
        mark = "".join(filter(None, found.groups())) if found else ""
        assert (mark or "w0") == f"w{shard}"


@given(PATHS)
def test_a_request_without_a_key_is_of_the_world_in_its_path(target: str) -> None:
    shard = shard_of_request(target.partition("?")[0], "", MARKS)
    for expression in (NGINX, HAPROXY):
        found = expression.match(f"GET {target} ")
        mark = "".join(filter(None, found.groups())) if found else ""
        assert (mark or "w0") == f"w{shard}"


def test_the_expressions_know_the_first_letters_of_all_keys() -> None:
    letters = "|".join(api.key_prefix for api in ALL if api.key_prefix)
    for expression in (NGINX, HAPROXY):
        assert f"(?:{letters})?" in expression.pattern
