"""Messages that staff saved: of two who change one, the second is told and loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy import Delete
from sqlalchemy import Update
from sqlalchemy import delete
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from ..errors import Refused
from ..errors import UsageError
from ..marketing.campaigns.definition import Definition
from ..marketing.campaigns.definition import Everybody
from ..marketing.campaigns.definition import Variant
from ..marketing.campaigns.making import preview
from ..models import Account
from ..models import SavedMessage
from ..models.base import insert_if_absent
from ..state import LineState
from .blocks import values_of
from .i18n import gettext as _

#: So many are listed, and offered as answers.
MOST, PHRASES = 200, 20


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text with which staff answer, as it would be for the person whom they answer."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Saving:
    """What is to be saved.

    :ivar message: JSON of drafts.
    :ivar after: the version that was on the page; 0 for a new one.
    """

    name: str
    label: str
    message: str
    is_phrase: bool
    after: int


def saved_messages(session: Session) -> Sequence[SavedMessage]:
    """Return those that were changed last, the latest first."""
    order = SavedMessage.updated_at.desc(), SavedMessage.name
    return session.scalars(select(SavedMessage).order_by(*order).limit(MOST)).all()


def choices(session: Session) -> dict[str, str]:
    """Return the labels of those that were changed last, the latest first, by name."""
    order = SavedMessage.updated_at.desc(), SavedMessage.name
    listed = select(SavedMessage.name, SavedMessage.label).order_by(*order).limit(MOST)
    return {name: label for name, label in session.execute(listed)}


def find_message(session: Session, name: str) -> SavedMessage | None:
    """Return the one that has a name."""
    return session.get(SavedMessage, name)


def save(session: Session, one: Saving, *, by: str, now: datetime) -> None:
    """Save a message, inside the caller's transaction.

    :param by: Flask-Login's id of who does.
    :raises Refused: somebody else changed or removed it meanwhile.
    """
    values = {
        "label": one.label,
        "message": one.message,
        "is_phrase": one.is_phrase,
        "updated_at": now,
        "updated_by": by,
    }
    if one.after == 0:
        is_saved = insert_if_absent(session, SavedMessage, name=one.name, version=1, **values)
    else:
        same = update(SavedMessage).where(*_same(one.name, one.after))
        is_saved = _is_one(session, same.values(version=one.after + 1, **values))
    if not is_saved:
        raise _meanwhile()


def remove(session: Session, name: str, *, after: int) -> None:
    """Remove a message, inside the caller's transaction.

    :raises Refused: somebody else changed or removed it meanwhile.
    """
    if not _is_one(session, delete(SavedMessage).where(*_same(name, after))):
        raise _meanwhile()


def is_plain(message: str) -> bool:
    """Tell whether a message is one text, which may be an answer."""
    blocks = values_of(message)
    return len(blocks) == 1 and blocks[0].kind == "text" and not blocks[0].replies


def phrases_for(line: LineState, account: Account | None) -> list[Phrase]:
    """Return the answers that staff may give a person, without those whose values they lack."""
    if account is None:
        return []
    statement = select(SavedMessage).where(SavedMessage.is_phrase).order_by(SavedMessage.label)
    found = []
    for one in line.session.scalars(statement.limit(PHRASES)):
        variant = Variant("", 1, one.message)
        try:
            (message,) = preview(line, definition_of(one.label, variant), "", account)
        except (UsageError, ValueError):
            continue
        found.append(Phrase(one.label, str(message.get("text", ""))))
    return found


def definition_of(label: str, variant: Variant) -> Definition:
    """Return a message in the shape in which campaigns have theirs."""
    return Definition("message", label, Everybody.LINKED, (variant,))


def first_words(message: str) -> str:
    """Return what a list shows of a message."""
    for block in values_of(message):
        texts = block.texts.get("text") or block.texts.get("alt_text") or {}
        for text in texts.values():
            return text.replace("\n", " ")
    return ""


def _same(name: str, version: int) -> tuple[ColumnElement[bool], ...]:
    return SavedMessage.name == name, SavedMessage.version == version


def _is_one(session: Session, statement: Update | Delete) -> bool:
    return getattr(session.execute(statement), "rowcount", 0) == 1


def _meanwhile() -> Refused:
    return Refused(
        _(
            "ほかの方が先にこのメッセージを変えました。書いたものは消えていません。"
            "別のメッセージとして保存できます。"
        ),
        step="saved-meanwhile",
    )
