"""How the console calls members."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from sqlalchemy import inspect
from sqlalchemy import select

from ..folding import fold_code
from ..models import Account
from ..person_names import Name
from ..person_names import shown_name
from ..state import LineState
from .i18n import gettext as _


def name_of_member(line: LineState, member: Any, account: Account | None = None) -> Name:
    """Return a member's name: by the shop, else by LINE, else by the number of the card."""
    own = line.shop.member_name(member)
    if shown_name(own):
        return Name(own)
    if account is not None and shown_name(account.display_name):
        return Name(account.display_name)
    number = card_number(line, member)
    return Name(None, _("会員番号 %(number)s", number=number) if number else _("お名前なし"))


def card_number(line: LineState, member: Any) -> str:
    """Return the number of a member's card, in groups of four; empty for none."""
    number = fold_code(line.shop.card_number(member) or "")
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def members_of(line: LineState, keys: Iterable[Any]) -> Mapping[Any, Any]:
    """Return members by their keys, in one statement; who is there no more is not among them."""
    key = inspect(line.shop.model).primary_key[0]
    found = line.session.scalars(select(line.shop.model).where(key.in_(set(keys))))
    identity = inspect(line.shop.model).mapper.primary_key_from_instance
    return {identity(member)[0]: member for member in found}


def initial(name: object) -> str:
    """Return the first letter of a name, for the round sign before it."""
    return str(name).strip()[:1].upper()
