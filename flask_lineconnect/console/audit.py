"""Who did what: written with each change, in its transaction, and shown to the owner."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response
from flask import request
from sqlalchemy import select

from ..linking.member_keys import read_member_key
from ..models import AuditEntry
from ..state import LineState
from ..state import current_line
from .csv_files import csv_answer
from .i18n import gettext as _
from .i18n import lazy_gettext
from .names import members_of
from .names import name_of_member
from .pages import render
from .staff import current_staff

PAGE = 50
#: In one portion of a file.
PORTION = 500
#: What was done, by what the log calls it.
ACTIONS = {
    "linked": lazy_gettext("連携した"),
    "unlinked": lazy_gettext("連携を解除した"),
    "confirmed": lazy_gettext("連携を確認し直した"),
    "erased": lazy_gettext("データを消した"),
    "consent-ended": lazy_gettext("LINEの設定で連携を解除した"),
    "exported": lazy_gettext("データを書き出した"),
    "segment-saved": lazy_gettext("絞り込みを保存した"),
    "segment-removed": lazy_gettext("絞り込みを消した"),
    "scenario-published": lazy_gettext("シナリオをオンにした"),
    "scenario-paused": lazy_gettext("シナリオを一時停止した"),
    "scenario-resumed": lazy_gettext("シナリオを再開した"),
    "scenario-stopped": lazy_gettext("シナリオを終了した"),
    "inquiry-answered": lazy_gettext("お客様に返信した"),
    "inquiry-done": lazy_gettext("対応済みにした"),
    "note-written": lazy_gettext("メモを書いた"),
    "note-removed": lazy_gettext("メモを消した"),
    "tag-put": lazy_gettext("タグを付けた"),
    "tag-taken": lazy_gettext("タグを外した"),
    "points-corrected": lazy_gettext("ポイントを直した"),
    "message-saved": lazy_gettext("メッセージを保存した"),
    "message-removed": lazy_gettext("メッセージを消した"),
    "message-tested": lazy_gettext("メッセージを自分に試し送信した"),
    "qr-made": lazy_gettext("店頭QRを作った"),
    "menu-saved": lazy_gettext("メニューを保存した"),
    "menu-removed": lazy_gettext("メニューを消した"),
    "menus-published": lazy_gettext("メニューを公開した"),
    "menus-rolled-back": lazy_gettext("メニューを前の版に戻した"),
    "sending-resumed": lazy_gettext("配信の停止を解いた"),
    "campaign-saved": lazy_gettext("配信の下書きを保存した"),
    "campaign-copied": lazy_gettext("配信を複製した"),
    "campaign-tried": lazy_gettext("配信を自分に試し送りした"),
    "campaign-asked": lazy_gettext("配信の承認を頼んだ"),
    "campaign-begun": lazy_gettext("配信を送った・予約した"),
    "campaign-called-back": lazy_gettext("配信を下書きに戻した"),
    "campaign-paused": lazy_gettext("配信を一時停止した"),
    "campaign-resumed": lazy_gettext("配信を再開した"),
    "campaign-cancelled": lazy_gettext("配信を取り消した"),
}
ACTORS = {
    "member": lazy_gettext("会員"),
    "shop": lazy_gettext("お店"),
    "line": lazy_gettext("LINE"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log."""

    row: AuditEntry
    who: str
    what: str
    on: str
    member_key: str | None


def note(
    action: str,
    *,
    subject: str | None = None,
    member_key: Any = None,
    account_id: int | None = None,
) -> None:
    """Write down what who is at the console does, inside the caller's transaction.

    :param action: one of :data:`ACTIONS`.
    :param subject: what it is done to, where it is no person.
    """
    line = current_line
    line.session.add(
        AuditEntry(
            at=line.clock(),
            action=action,
            actor="shop",
            account_id=account_id,
            member_key=None if member_key is None else str(member_key),
            staff=current_staff().key,
            subject=None if subject is None else subject[:255],
        )
    )


def sign(account_ids: Sequence[int]) -> None:
    """Say of what a rule has just written down about accounts who at the console did it.

    Inside the caller's transaction.
    """
    line = current_line
    line.session.flush()
    for account_id in account_ids:
        newest = (
            select(AuditEntry)
            .where(AuditEntry.account_id == account_id, AuditEntry.actor == "shop")
            .order_by(AuditEntry.id.desc())
            .limit(1)
        )
        line.session.scalars(newest).one().staff = current_staff().key


def audit() -> str:
    """Show who did what, the latest first."""
    before = request.args.get("before", type=int)
    rows = _rows(current_line, before, PAGE + 1)
    entries = _entries(current_line, rows[:PAGE])
    after = rows[PAGE - 1].id if len(rows) > PAGE else None
    return render("audit", entries=entries, after=after)


def audit_csv() -> Response:
    """Return all of it as a file."""
    note("exported", subject="audit")
    current_line.session.commit()
    header = [_("日時"), _("した人"), _("したこと"), _("対象")]
    lines = ([one.row.at, one.who, one.what, one.on] for one in _all(current_line))
    return csv_answer(_("操作の記録"), header, lines)


def _all(line: LineState) -> Iterator[Entry]:
    before = None
    while rows := _rows(line, before, PORTION):
        yield from _entries(line, rows)
        before = rows[-1].id
        line.session.expunge_all()


def _rows(line: LineState, before: int | None, limit: int) -> list[AuditEntry]:
    statement = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if before is not None and 0 < before < 2**63:
        statement = statement.where(AuditEntry.id < before)
    return list(line.session.scalars(statement))


def _entries(line: LineState, rows: Sequence[AuditEntry]) -> list[Entry]:
    """Say of some lines who did what to whom, with one question for all members."""
    keys = {row.member_key: _key(line, row.member_key) for row in rows if row.member_key}
    people = members_of(line, [key for key in keys.values() if key is not None])
    members = {written: people.get(key) for written, key in keys.items()}
    staff = {
        key: name_of_staff(line, key) for key in {row.staff for row in rows} if key is not None
    }
    return [_entry(line, row, members, staff) for row in rows]


def _entry(
    line: LineState, row: AuditEntry, members: Mapping[str, Any], staff: Mapping[str, str]
) -> Entry:
    who = str(ACTORS.get(row.actor, row.actor))
    if row.staff is not None:
        who = staff[row.staff]
    on, member_key = row.subject or "", None
    if row.member_key is not None:
        member = members.get(row.member_key)
        on = _("会員 %(id)s", id=row.member_key)
        if member is not None:
            on, member_key = str(name_of_member(line, member)), row.member_key
    elif not on and row.account_id is not None:
        on = _("LINEの友だち %(id)s", id=row.account_id)
    return Entry(row, who, str(ACTIONS.get(row.action, row.action)), on, member_key)


def name_of_staff(line: LineState, key: str) -> str:
    """Return the name of who did it: Flask-Login finds them as it does at each request."""
    manager = line.app.login_manager  # type: ignore[attr-defined]  # set by Flask-Login
    try:
        user = manager._user_callback(key)
    except (TypeError, ValueError):
        user = None
    if isinstance(user, line.shop.model):
        return str(name_of_member(line, user))
    name = getattr(user, "name", None)
    return name if isinstance(name, str) and name else _("スタッフ %(id)s", id=key)


def _key(line: LineState, written: str) -> Any | None:
    try:
        return read_member_key(line.shop.model, written)
    except ValueError:
        return None
