"""Short dialogues: what was asked, what was answered so far, and until when an answer counts.

Kept in the database with the hook's own changes, so a restart forgets nothing and nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from ..errors import UsageError
from ..models import OpenDialogue
from ..state import current_line
from .events import Event

#: How long a person may take for each answer, unless the hook says otherwise.
LIFETIME = timedelta(minutes=10)


@dataclass
class Dialogue:
    """The dialogue in which the person of an event is; hooks get it as ``dialogue``.

    :ivar name: as :func:`begin_dialogue` was given it.
    :ivar step: where in it the person is.
    :ivar data: what was kept so far; JSON.
    """

    name: str
    step: str
    data: dict[str, Any]
    _row: OpenDialogue = field(repr=False)

    def go(self, step: str, *, lifetime: timedelta = LIFETIME, **data: Any) -> None:
        """Go on to another step, and keep something more."""
        self.step, self.data = step, {**self.data, **data}
        self._row.step, self._row.data = self.step, self.data
        self._row.expires_at = current_line.clock() + lifetime

    def end(self) -> None:
        """End the dialogue; what the person writes next is for the ordinary hooks."""
        current_line.session.delete(self._row)


def begin_dialogue(
    event: Event, name: str, *, step: str = "", lifetime: timedelta = LIFETIME, **data: Any
) -> Dialogue:
    """Begin a dialogue with the person of an event, in place of one that is open.

    The hooks written with ``on_dialogue(name)`` get what the person writes or taps next.

    :param data: what the next hook must know; JSON.
    :raises UsageError: the event names no person.
    """
    if event.line_user_id is None:
        raise UsageError("a dialogue needs a person, and this event names none")
    row = OpenDialogue(
        line_user_id=event.line_user_id,
        name=name,
        step=step,
        data=data,
        expires_at=current_line.clock() + lifetime,
    )
    return Dialogue(name, step, data, current_line.session.merge(row))


def dialogue_of(session: Session, line_user_id: str | None, *, now: datetime) -> Dialogue | None:
    """Return the dialogue in which a person is, if an answer still counts."""
    row = None if line_user_id is None else session.get(OpenDialogue, line_user_id)
    if row is None or row.expires_at <= now:
        return None
    return Dialogue(row.name, row.step, dict(row.data), row)
