"""Kinds of messages: what a member may decline, and what counts as advertising.

A shop names its own in :attr:`ShopAdapter.categories`; ``line.send(…, category="order")`` refers to
them, and the member's page of preferences lists them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from ..i18n import lazy_gettext as _


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of message.

    :ivar label: for the member's page; a text, or one that is translated when it is shown.
    :ivar is_marketing: advertising: it waits behind other messages, keeps quiet hours, counts
        against the frequency cap, and leaves the quota's reserve alone.
    :ivar is_optional: whether a member may decline it.
    """

    name: str
    label: Any
    is_marketing: bool = False
    is_optional: bool = True


#: What concerns the membership itself; every shop has it.
ACCOUNT = Category("account", _("会員登録・連携のお知らせ"), is_optional=False)
#: What friends who are no members are sent, and nobody else: the word to link. No shop's own is it.
INVITATION = Category("link-invitation", _("連携のご案内"), is_marketing=True, is_optional=False)
#: What shops send, unless they say otherwise.
DEFAULT_CATEGORIES: tuple[Category, ...] = (
    ACCOUNT,
    Category("order", _("ご注文・お届けのお知らせ")),
    Category("points", _("ポイントのお知らせ")),
    Category("restock", _("再入荷・値下げのお知らせ"), is_marketing=True),
    Category("cart", _("カートの商品のお知らせ"), is_marketing=True),
    Category("news", _("新商品・セールのお知らせ"), is_marketing=True),
    Category("birthday", _("お誕生日のお祝い"), is_marketing=True),
)


def category_named(categories: Sequence[Category], name: str) -> Category:
    """Return the category with this name.

    :raises UsageError: the shop has none; names those that it has.
    """
    for category in (*categories, ACCOUNT):
        if category.name == name:
            return category
    known = ", ".join(category.name for category in categories)
    raise UsageError(
        f"there is no message category {name!r}; ShopAdapter.categories has {known}. Name one of "
        "them, or add it there."
    )
