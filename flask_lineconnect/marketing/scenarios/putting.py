"""Writes the messages of steps for their readers: into the outbox, or a reason why not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from ...errors import InvalidMessage
from ...messages.word_filters import MissingValue
from ...state import LineState
from . import writing
from .cards import CardWish
from .cards import card_values
from .cards import manner_for
from .definition import END
from .definition import Step
from .knowing import Known
from .knowing import Reader
from .stepping import Move
from .stepping import category_of
from .wordings import StepMessages
from .wordings import language_of
from .wordings import own_values

#: How soon it is first asked whether a run's last message is settled.
SOON = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Sending:
    """A step whose message is to be sent.

    :ivar values: facts and attributes.
    """

    run: Row[Any]
    step: Step
    found: Move
    values: Mapping[str, Any]


@dataclass(slots=True)
class Changes:
    """What becomes of some runs, until it is written.

    :ivar advertised: the members of whom one run sends an advertisement.
    """

    moved: list[tuple[Row[Any], Move]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    ended: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    held: list[int] = field(default_factory=list)
    failed: list[tuple[Row[Any], Exception]] = field(default_factory=list)
    advertised: set[Any] = field(default_factory=set)


def send(
    line: LineState,
    known: Known,
    messages: StepMessages,
    sending: Sequence[Sending],
    changes: Changes,
) -> None:
    """Write messages of one version; one that can't be made is dropped, and says why."""
    readers: list[tuple[Sending, Reader]] = []
    for one in sending:
        reader = known.readers.get(one.run.member_id)
        reason = _reason_against(known, one, reader)
        if reader is None or reason is not None:
            changes.moved.append((one.run, _dropped(one.found, reason)))
        else:
            readers.append((one, reader))
    cards = _cards(line, known, messages, readers)
    for one, reader in readers:
        try:
            _write(line, known, messages, one, reader, cards.get(one.run.id, {}), changes)
        except Exception as error:
            changes.failed.append((one.run, error))


def _reason_against(known: Known, one: Sending, reader: Reader | None) -> str | None:
    if reader is None:
        return "not linked"
    return reader.reasons[category_of(known.scenario, one.step)]


def _cards(
    line: LineState,
    known: Known,
    messages: StepMessages,
    readers: Sequence[tuple[Sending, Reader]],
) -> Mapping[int, Mapping[str, Any]]:
    """Ask the shop for the products and coupons of all messages at once."""
    wishes = {
        one.run.id: CardWish(
            member=known.members.get(one.run.member_id),
            member_id=one.run.member_id,
            drafts=messages.drafts(one.step),
            facts=known.read(one.run.facts),
            product_facts=messages.product_facts,
            since=one.run.began_at,
            language=language_of(reader.language),
        )
        for one, reader in readers
        if messages.asks_shop(one.step)
    }
    if not wishes:
        return {}
    return dict(zip(wishes, card_values(line, list(wishes.values())), strict=True))


def _write(
    line: LineState,
    known: Known,
    messages: StepMessages,
    one: Sending,
    reader: Reader,
    cards: Mapping[str, Any],
    changes: Changes,
) -> None:
    run, step, language = one.run, one.step, language_of(reader.language)
    member = known.members.get(run.member_id)
    own = own_values(line, messages.names(step), member, language)
    manner = manner_for(line, language, known.zone_of(run.member_id))
    try:
        written = messages.write(step, {**own, **one.values, **cards}, manner)
    except (MissingValue, InvalidMessage) as error:
        changes.moved.append((run, _dropped(one.found, str(error))))
        return
    category = category_of(known.scenario, step)
    is_advertising = category in known.rules.advertising
    changes.messages.append(
        writing.message_row(
            run, step, reader.account_id, written, category, is_advertising, one.found
        )
    )
    found = one.found
    if found.standing.step == END:
        found = replace(found, due_at=known.now + SOON)
    changes.moved.append((run, found))


def _dropped(found: Move, reason: str | None) -> Move:
    return replace(found, is_sent=False, outcome="dropped", reason=reason)
