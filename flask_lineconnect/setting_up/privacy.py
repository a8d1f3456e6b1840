"""What is kept of people, for how long, and how it goes: read from the tables and the settings.

Which columns are a person's is seen from the tables themselves; how long they stay is said here, in
the words of whoever answers a person's question or writes the shop's privacy policy.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Column
from sqlalchemy import Table

from ..config.settings import IN_MEMORY
from ..config.settings import Config
from ..linking.unlink_tasks import GIVE_UP_AFTER as UNLINK_TOLD_FOR
from ..models import LineBase
from ..models import MemberKey
from ..outbox.pruning import MESSAGES_KEPT
from ..webhooks.event_times import KEPT as EVENT_IDS_KEPT
from ..webhooks.forwarding import GIVE_UP_AFTER as FORWARDED_FOR
from ..webhooks.inbox import CONTENT_KEPT

#: Columns that say something of a person, whatever table they are in.
_PERSONAL = {
    *("account_id", "account_ids", "chosen_ids", "line_user_id", "line_user_ids", "member_key"),
    *("line_user_hash", "display_name", "picture_url", "sealed_tokens", "email", "sealed_fields"),
    *("payload", "reply", "body", "messages", "facts", "data", "code_hash", "link_source"),
    *("is_friend", "language", "host"),
}
#: Of those names, columns that hold nothing of anybody.
_NOBODYS = {("lineconnect_rich_menu", "language"), ("lineconnect_process", "host")}


@dataclass(frozen=True, slots=True)
class Kept:
    """What one table keeps of people.

    :ivar columns: those that are about a person.
    :ivar until: when it goes by itself.
    :ivar erasure: what becomes of it when the person is erased.
    """

    table: str
    what: str
    columns: tuple[str, ...]
    until: str
    erasure: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who else is given something of people, by a setting."""

    who: str
    what: str
    setting: str


def kept(config: Config) -> list[Kept]:
    """Return every table with something of a person in it."""
    found = []
    for name, table in sorted(LineBase.metadata.tables.items()):
        columns = personal_columns(table)
        if columns:
            what, until = _told(name, config)
            found.append(Kept(name, what, columns, until, _erasure(table)))
    return found


def recipients(config: Config) -> Iterator[Recipient]:
    """Say who is given something of people beyond the shop's own database."""
    yield Recipient(
        "LINE",
        "messages, and the LINE user ids whom they are for; at login LINE tells "
        f"{config.login_scope!r}",
        "LINECONNECT_LOGIN_SCOPE",
    )
    for address in config.forward_webhooks:
        yield Recipient(
            urlsplit(address).netloc,
            "LINE's webhooks as they come: who wrote what",
            "LINECONNECT_FORWARD_WEBHOOKS",
        )
    if config.rate_limit_storage != IN_MEMORY:
        where = urlsplit(config.rate_limit_storage)
        yield Recipient(
            where.hostname or where.scheme,
            "addresses of visitors and LINE accounts that log in, counted for a minute or an hour",
            "LINECONNECT_RATE_LIMIT_STORAGE",
        )


def personal_columns(table: Table) -> tuple[str, ...]:
    """Return the names of the columns that are about a person."""
    return tuple(column.name for column in table.columns if _is_personal(table, column))


def _is_personal(table: Table, column: Column[Any]) -> bool:
    if isinstance(column.type, MemberKey):
        return column.info.get("ondelete", "") is not None  # else a place in a list
    return column.name in _PERSONAL and (table.name, column.name) not in _NOBODYS


def _erasure(table: Table) -> str:
    if table.name in _ERASED:
        return _ERASED[table.name]
    is_cascading = any(
        column.info.get("ondelete") == "CASCADE"
        or any(key.ondelete == "CASCADE" for key in column.foreign_keys)
        for column in table.columns
        if _is_personal(table, column)
    )
    if is_cascading:
        return "goes at once with the member, and with an erasure"
    return "goes when its time is over"


def _days(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hours"


def _told(name: str, config: Config) -> tuple[str, str]:
    if name in _TOLD:
        what, until = _TOLD[name]
        return what, until if isinstance(until, str) else until(config)
    table = LineBase.metadata.tables[name]
    mapper = next(one for one in LineBase.registry.mappers if one.local_table is table)
    words = (mapper.class_.__doc__ or "").strip().partition("\n")[0]
    return words, "see the table's documentation"


def _member_events(config: Config) -> str:
    return f"{config.member_event_days} days (LINECONNECT_MEMBER_EVENT_DAYS)"


def _messages(config: Config) -> str:
    span = max(MESSAGES_KEPT, timedelta(days=config.marketing_cap_days))
    return f"{_days(span)} after their end; waiting ones until they are sent"


#: What a table keeps, and until when: text, or a function of the settings.
_TOLD: Mapping[str, tuple[str, str | Callable[[Config], str]]] = {
    "lineconnect_account": (
        "LINE user id, name and picture in LINE, friendship, link, chosen language, encrypted "
        "login tokens",
        "the member is deleted or erased; of people who never became members 30 days after they "
        "were seen last, and of friends then only id and friendship; tokens until the link ends, "
        "or 90 days without a login",
    ),
    "lineconnect_attribution": ("which message an order followed", _member_events),
    "lineconnect_audit_entry": (
        "who linked, unlinked and erased what, and when; what staff did in the console",
        "for ever",
    ),
    "lineconnect_campaign_member": ("for whom a campaign was meant", _member_events),
    "lineconnect_card_code": ("the hash of a code that pays once", "a minute, gone an hour after"),
    "lineconnect_chat_link": ("a link on its way through the chat", "10 minutes, and an hour"),
    "lineconnect_click": (
        "who opened which link of a message, and when",
        lambda config: f"{config.click_days} days (LINECONNECT_CLICK_DAYS); the counts stay",
    ),
    "lineconnect_credential_change": (
        "that a member's password changed",
        lambda config: (
            f"{config.recent_login_seconds:g} seconds, an hour at least "
            "(LINECONNECT_RECENT_LOGIN_SECONDS)"
        ),
    ),
    "lineconnect_dialogue": (
        "where somebody is in a dialogue, with what the shop's hooks keep in it",
        "the dialogue's own end, and an hour",
    ),
    "lineconnect_ended_link": (
        "the hash of a LINE user id whose link ended",
        "as long as an older ID token could live: an hour or so",
    ),
    "lineconnect_inbox_event": (
        "what people wrote and did in the chat, and the answer",
        f"what was said {_days(CONTENT_KEPT)} after it was answered, {_days(EVENT_IDS_KEPT)} if "
        "its hook failed; that there was an event until there are events newer by "
        f"{_days(EVENT_IDS_KEPT)}",
    ),
    "lineconnect_kept_form": (
        "an encrypted form that a login interrupted; never passwords",
        "10 minutes, and an hour",
    ),
    "lineconnect_login_attempt": (
        "a login on its way, with the e-mail address if LINE told it",
        "10 minutes, and an hour",
    ),
    "lineconnect_member_event": ("what a member did, as the shop and LINE told it", _member_events),
    "lineconnect_member_tag": ("words that staff put on a member", "staff take them off"),
    "lineconnect_outbox_batch": ("for whom a message to many is, and what it says", _messages),
    "lineconnect_outbox_message": ("for whom a message is, and what it says", _messages),
    "lineconnect_point_entry": (
        "a member's points, where the shop uses the ready-made ledger: how many, why and when",
        "as long as the member",
    ),
    "lineconnect_preference": ("which kinds of messages somebody wants", "as long as the account"),
    "lineconnect_result_person": (
        "that a member tapped a link of a message, or bought after it, and the day",
        lambda config: (
            f"taps {config.click_days} days (LINECONNECT_CLICK_DAYS), purchases "
            f"{_member_events(config)}; the counts stay"
        ),
    ),
    "lineconnect_scenario_member": (
        "whom a scenario's segment chose last",
        "until the segment no longer chooses them",
    ),
    "lineconnect_scenario_run": (
        "a member's way through a scenario",
        lambda config: (
            f'{_member_events(config)} after its end; with `again = "never"` as long as the member'
        ),
    ),
    "lineconnect_staff_note": ("what staff wrote about a member", "staff remove it"),
    "lineconnect_touch": (
        "that LINE accepted a message for a member: campaign or scenario and time, no text",
        _member_events,
    ),
    "lineconnect_unlink_task": (
        "the LINE user id and tokens with which LINE is told of a link's end",
        f"LINE has answered; {_days(UNLINK_TOLD_FOR)} at the most, then without tokens until "
        "somebody has looked",
    ),
    "lineconnect_webhook_forward": (
        "a webhook that a second tool has not taken yet: who wrote what",
        f"the tool has it; {_days(FORWARDED_FOR)} at the most",
    ),
}
#: Where it is not seen from the tables what an erasure does.
_ERASED: Mapping[str, str] = {
    "lineconnect_account": "goes with an erasure; an ended link leaves it until then",
    "lineconnect_audit_entry": "stays, without the member's key",
    "lineconnect_inbox_event": "goes at once with an erasure",
    "lineconnect_dialogue": "goes at once with an erasure",
    "lineconnect_outbox_batch": "the account's number in it stays, and is nobody's any more",
    "lineconnect_point_entry": (
        "goes at once with the member; stays with an erasure of what LINE told alone"
    ),
    "lineconnect_unlink_task": "made by an erasure, and goes when LINE has answered",
}
