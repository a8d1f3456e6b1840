"""What staff write down about a member: notes, and tags by which segments choose."""

from __future__ import annotations

from typing import Any

from flask import abort
from flask import request
from werkzeug.wrappers import Response

from ..errors import Refused
from ..linking import staff_words
from ..linking.member_keys import read_member_key
from ..messages.limits import is_storable
from ..models import StaffNote
from ..models.staff_note import MAX_TAG
from ..state import LineState
from ..state import current_line
from .audit import name_of_staff
from .audit import note
from .i18n import gettext as _
from .pages import go
from .pages import say
from .staff import current_staff

#: Of a note, in characters.
MAX_NOTE = 1_000


def on_page(line: LineState, member_id: Any) -> dict[str, Any]:
    """Return what a member's page shows of notes and tags."""
    found = staff_words.notes_on(line.session, member_id)
    return {
        "notes": [(one, name_of_staff(line, one.written_by)) for one in found],
        "tags": staff_words.tags_of(line.session, member_id),
        "tags_in_use": staff_words.tags_in_use(line.session),
        "most_note": MAX_NOTE,
        "most_tag": MAX_TAG,
    }


def add_note(key: str) -> Response:
    """Write a note.

    :raises Refused: nothing is written, or too much.
    """
    line, member_id = current_line, _member_id(key)
    words = _written("note", MAX_NOTE)
    line.session.add(
        StaffNote(
            member_id=member_id,
            text=words,
            written_at=line.clock(),
            written_by=current_staff().key,
        )
    )
    return _done(key, member_id, "note-written", _("メモを書きました。"))


def remove_note(key: str) -> Response:
    """Remove a note."""
    line, member_id = current_line, _member_id(key)
    number = request.form.get("id", 0, type=int)
    found = line.session.get(StaffNote, number) if 0 < number < 2**63 else None
    if found is None or found.member_id != member_id:
        abort(404)
    line.session.delete(found)
    return _done(key, member_id, "note-removed", _("メモを消しました。"))


def add_tag(key: str) -> Response:
    """Put a tag on a member.

    :raises Refused: it is no word, or the member has as many as there is room for.
    """
    line, member_id = current_line, _member_id(key)
    tag = _written("tag", MAX_TAG)
    if len(staff_words.tags_of(line.session, member_id)) >= staff_words.MOST_TAGS:
        raise Refused(_("タグは、お1人に%(n)s個までです。", n=staff_words.MOST_TAGS), step="tag")
    staff_words.put_tag(line.session, member_id, tag, now=line.clock())
    return _done(key, member_id, "tag-put", _("タグを付けました。"))


def remove_tag(key: str) -> Response:
    """Take a tag off a member."""
    line, member_id = current_line, _member_id(key)
    staff_words.take_tag(line.session, member_id, request.form.get("tag", ""))
    return _done(key, member_id, "tag-taken", _("タグを外しました。"))


def _member_id(key: str) -> Any:
    """Return the key of a member who is there."""
    line = current_line
    try:
        member_id = read_member_key(line.shop.model, key)
    except ValueError:
        abort(404)
    if line.session.get(line.shop.model, member_id) is None:
        abort(404)
    return member_id


def _written(name: str, most: int) -> str:
    words = request.form.get(name, "").replace("\r\n", "\n").strip()
    if not words or len(words) > most or not is_storable(words):
        raise Refused(_("1〜%(n)s文字で書いてください。", n=most), step=name)
    return words


def _done(key: str, member_id: Any, action: str, said: str) -> Response:
    note(action, member_key=member_id)
    current_line.session.commit()
    say(said)
    return go("member", key=key)
