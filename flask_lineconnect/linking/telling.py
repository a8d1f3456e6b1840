"""Tell people that a link was made, or has ended: on LINE, and by the shop's own ways.

Whoever did not do it learns of it this way, so nobody can turn it off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..after_commit import after_commit
from ..i18n import gettext as _
from ..i18n import speaking
from ..models import Account
from ..person_names import isolated
from ..shop.adapter import LinkChange
from ..shop.adapter import MemberNotice
from ..state import LineState

#: Puts a text for a LINE account into the outbox under a key; see ``parts.py``.
Post = Callable[[LineState, Account, str, str], None]


@dataclass(frozen=True, slots=True)
class Telling:
    """How an app tells people on LINE."""

    post: Post


def tell(
    line: LineState, account: Account, member: Any, change: LinkChange, *, by_line: bool = True
) -> None:
    """Tell both sides of a link what became of it, inside the caller's transaction.

    LINE's side gets a message; the shop tells the member once the caller has committed.

    :param by_line: whether LINE's side is not answered in the chat anyway.
    """
    if by_line:
        key = f"lineconnect:{change}:{account.id}:{account.session_generation}"
        with speaking(account.language):
            text = _to_line(_shop_name(line), change)
        line.part(Telling).post(line, account, text, key)
    if member is not None:
        notice = MemberNotice(change, _to_member(_shop_name(line), account.display_name, change))
        after_commit(line.session, partial(line.shop.tell_member, member, notice))


def _shop_name(line: LineState) -> str:
    return str(line.shop.name) or _("お店")


def _to_line(shop: str, change: LinkChange) -> str:
    if change == "linked":
        text = _("%(shop)sの会員情報と、このLINEを連携しました。", shop=shop)
    else:
        text = _("%(shop)sの会員情報と、このLINEの連携を解除しました。", shop=shop)
    return f"{text}\n" + _("お心当たりのない場合は、お店までお知らせください。")


def _to_member(shop: str, line_name: str, change: LinkChange) -> str:
    name = isolated(line_name, stand_in=_("（お名前なし）"))
    if change == "linked":
        text = _(
            "%(shop)sの会員情報と、LINEアカウント「%(name)s」を連携しました。",
            shop=shop,
            name=name,
        )
    else:
        text = _(
            "%(shop)sの会員情報と、LINEアカウント「%(name)s」の連携を解除しました。",
            shop=shop,
            name=name,
        )
    return f"{text}\n" + _("お心当たりのない場合は、お店までお知らせください。")
