"""Changes rows of earlier versions into rows as this server writes them."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Raw, msgpack

from mock_server.durable.kinds import MIGRATIONS, VERSIONS, RowKind
from mock_server.durable.turns import Row


def migrated(rows: Iterable[Row], versions: Mapping[RowKind, int]) -> Iterator[Row]:
    """Rows of kinds whose version is an earlier one, as they are in the present version.

    versions: of each kind in the file; a kind that is not there has no rows.
    """
    old = {int(kind) for kind, version in versions.items() if version < VERSIONS[kind]}
    for number, world, kind, body in rows:
        if kind in old:
            value = msgpack.decode(body)
            for version in range(versions[RowKind(kind)], VERSIONS[RowKind(kind)]):
                value = MIGRATIONS[RowKind(kind), version](value)
            yield number, world, kind, Raw(msgpack.encode(value))
