"""How our pages address a person: as the shop does, else by the name in LINE."""

from __future__ import annotations

from typing import Any

from ..i18n import gettext as _
from ..models import Account
from ..state import current_line


def member_name(member: Any, account: Account | None) -> str:
    """Return the name of a member for a page.

    :param account: the member's own LINE account, whose name stands in; ``None`` for a member
        without one, and where somebody must see which of the two is which.
    """
    own = current_line.shop.member_name(member)
    return own or (account.display_name if account is not None else "") or _("会員")
