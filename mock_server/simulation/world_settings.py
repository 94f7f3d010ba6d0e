"""What a world has of the settings: its rules, and the keys of its accounts."""

from datetime import datetime

from mock_server.config.settings import KeySettings, Settings
from mock_server.core.accounts import Key
from mock_server.core.clock import LAST_MS, ms_of
from mock_server.core.lifetimes import Lifetimes
from mock_server.core.world import WorldRules


def make_key(account: str, key: KeySettings) -> Key:
    """The key of an account for these settings, of the server or of the control door."""
    return Key(
        secret=key.key,
        account=account,
        api=key.api,
        scopes=frozenset(key.scopes),
        revoked=key.revoked,
        disabled=key.disabled,
        expires_ms=None if key.expires_at is None else _expiry_ms(key.expires_at),
        rate_limit=key.rate_limit,
        in_flight=key.in_flight,
    )


def world_rules(
    settings: Settings, lifetimes: dict[str, Lifetimes], *, gone_disables: bool
) -> WorldRules:
    """The rules of all worlds of a server. lifetimes, gone_disables: as in `WorldRules`."""
    return WorldRules(
        queued_ms=round(settings.tasks.queued_s * 1000),
        processing_ms=round(settings.tasks.processing_s * 1000),
        failure_rate=settings.tasks.failure_rate,
        idempotency_lifetime_ms=round(settings.idempotency.lifetime_s * 1000),
        lifetimes=lifetimes,
        stored_upload_bytes=settings.limits.stored_upload_bytes,
        stored_uploads=settings.limits.stored_uploads,
        webhook_endpoints=settings.limits.webhook_endpoints,
        inboxes=settings.limits.inboxes,
        inbox_bytes=settings.limits.inbox_bytes,
        journal_exchanges=settings.limits.journal_exchanges,
        journal_body_bytes=settings.limits.journal_body_bytes,
        journal_header_bytes=settings.limits.journal_header_bytes,
        journal_archive_bytes=settings.limits.journal_archive_bytes,
        history_entries=settings.limits.history_entries,
        kept_deliveries=settings.deliveries.kept,
        obey_retry_after=settings.deliveries.obey_retry_after,
        gone_disables=gone_disables,
        event_spelling=settings.deliveries.spelling,
    )


def _expiry_ms(moment: datetime) -> int:
    """When a key expires, limited to the times that a clock can show."""
    try:
        return ms_of(moment)
    except ValueError:
        return 0 if moment.timestamp() < 0 else LAST_MS
