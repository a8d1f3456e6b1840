"""How our pages call people: a member as the shop does, a LINE account by its name there.

A name that nobody can see has a stand-in, and one from a script that is written from the right
turns nothing around it; see ``person_names.py``.
"""

from __future__ import annotations

from typing import Any

from ..folding import fold_code
from ..i18n import gettext as _
from ..models import Account
from ..person_names import Name
from ..person_names import shown_name
from ..shop.adapter import LineProfile
from ..state import current_line


def member_name(member: Any, account: Account | None) -> Name:
    """Return the name of a member for a page.

    :param account: the member's own LINE account, whose name stands in; ``None`` for a member
        without one, and where somebody must see which of the two is which.
    """
    shop = current_line.shop
    own = shop.member_name(member)
    if shown_name(own):
        return Name(own)
    if account is not None and shown_name(account.display_name):
        return Name(account.display_name)
    number = fold_code(shop.card_number(member) or "")
    return Name(None, _("会員番号 %(number)s", number=number) if number else _("会員"))


def line_name(account: Account) -> Name:
    """Return the name of a LINE account for a page."""
    return Name(account.display_name, _("（お名前なし）"))


def line_profile(account: Account) -> LineProfile:
    """Return whose LINE account it is, for a page."""
    return LineProfile(account.line_user_id, line_name(account), account.picture_url)
