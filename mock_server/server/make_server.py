"""Makes the state of a server from its settings and its APIs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from msgspec.structs import replace

from mock_server.apis import ALL
from mock_server.apis.api import VendorApi
from mock_server.config.settings import Settings
from mock_server.contract.contract import Contract
from mock_server.contract.data_paths import FIXTURES, SCHEMAS
from mock_server.core.counts import Counts
from mock_server.core.journal import Exchange
from mock_server.faults.scenarios import ScenarioError, Scenarios
from mock_server.outgoing.host_names import Resolve, addresses_of
from mock_server.outgoing.outbox import Outbox
from mock_server.outgoing.sender import Sender
from mock_server.simulation.blobs import Blobs
from mock_server.simulation.state import NO_KEEPER, ServerState, StateKeeper
from mock_server.simulation.worlds import Worlds


def make_server(
    settings: Settings,
    source_ms: Callable[[], int],
    resolve: Resolve = addresses_of,
    apis: Sequence[VendorApi] = ALL,
    on_locked_out: Callable[[Exchange], None] = lambda _: None,
) -> ServerState:
    """The state of a server with its default world.
    source_ms: returns real time in milliseconds since 1970. resolve: returns a host's addresses.
    settings: from `with_media_socket`, if the server has a socket; else a `media_url` at a free
    port is left out. on_locked_out: as in `ServerState`.
    Raises ScenarioError for a broken file in the user's folder, UnknownScenario, and OSError for a
    state file that cannot be used."""
    if urlsplit(settings.media_url or "").port == 0:
        settings = replace(settings, media_url=None)
    contract = Contract(SCHEMAS, apis)
    scenarios = _scenarios(settings, contract, apis)
    is_strict = settings.webhook_urls == "strict"
    sender = Sender(settings.deliveries, settings.callback_hosts, resolve if is_strict else None)
    outbox = Outbox({api.name: api.event_writer(settings) for api in apis}, sender)
    default = None if settings.scenario is None else scenarios.find(settings.scenario)
    gone_disables = any(api.gone_disables(settings) for api in apis)
    counts = Counts()
    worlds = Worlds(
        settings,
        source_ms,
        outbox,
        default,
        task_ids={api.name: api.task_id for api in apis},
        lifetimes={api.name: api.lifetimes(settings) for api in apis},
        gone_disables=gone_disables,
        key_prefixes=[api.key_prefix for api in apis if api.key_prefix],
        counts=counts,
    )
    keeper: StateKeeper = NO_KEEPER
    blobs_at = None
    if settings.state.file is not None:
        # Imported here: most servers have no file.
        from mock_server.durable.copying import uploads_beside
        from mock_server.durable.state_writer import state_writer

        keeper = sender.release = state_writer(settings.state, worlds)
        blobs_at = uploads_beside(Path(settings.state.file))
    return ServerState(
        settings=settings,
        apis={api.name: api for api in apis},
        contract=contract,
        scenarios=scenarios,
        worlds=worlds,
        blobs=Blobs(
            settings.limits.stored_upload_bytes,
            blobs_at,
            is_synced=settings.state.durable == "power",
        ),
        sender=sender,
        outbox=outbox,
        resolve=resolve,
        counts=counts,
        on_locked_out=on_locked_out,
        keeper=keeper,
    )


def _scenarios(settings: Settings, contract: Contract, apis: Sequence[VendorApi]) -> Scenarios:
    """The scenarios of this server. The user's own files are read and checked now."""
    shipped = FIXTURES / "scenarios"
    if settings.scenario_dir is None:
        return Scenarios([shipped], apis, contract.codes)
    own = Path(settings.scenario_dir)
    if not own.is_dir():
        raise ScenarioError(f"scenario_dir: there is no folder {own}")
    scenarios = Scenarios([shipped, own], apis, contract.codes)
    scenarios.read_all(own)
    return scenarios
