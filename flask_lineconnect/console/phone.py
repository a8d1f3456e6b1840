"""A message as it looks on a phone: written as it is when it is sent, drawn as text.

For one member, who is chosen, or with the longest values that it may get.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from sqlalchemy import select

from ..errors import UsageError
from ..i18n import languages
from ..i18n import speaking
from ..linking import accounts
from ..linking.member_keys import read_member_key
from ..marketing.campaigns.definition import Definition
from ..marketing.campaigns.definition import Everybody
from ..marketing.campaigns.definition import Variant
from ..marketing.campaigns.making import preview
from ..marketing.campaigns.messages import messages_for
from ..marketing.scenarios.cards import manner_for
from ..marketing.scenarios.wordings import OF_SHOP
from ..messages.draft_data import read_draft
from ..messages.drafts import specimens
from ..messages.word_filters import MissingValue
from ..models import Account
from ..person_names import Name
from ..state import LineState
from .blocks import Block
from .blocks import Form
from .blocks import draft_of
from .blocks import message_of
from .blocks import own_language
from .i18n import gettext as _
from .names import name_of_member

#: So many members are offered to look at a message for.
SOME = 5
#: Stands for a card for which a member has nothing.
ABSENT: Mapping[str, Any] = {"type": "absent"}


@dataclass(frozen=True, slots=True)
class Pose:
    """How a message is looked at.

    :ivar member: the key of whoever would get it; empty: with the longest values.
    :ivar language: of the longest values; a member has their own. Empty: ours.
    """

    member: str = ""
    language: str = ""
    is_night: bool = False


@dataclass(frozen=True, slots=True)
class Phone:
    """What the phone shows.

    :ivar messages: LINE's message objects; ``None`` for one that can't be written yet, and
        :data:`ABSENT` for a card of what the member has not.
    :ivar line: what a notification shows of the last one.
    :ivar members: names of those who may be chosen, by key.
    :ivar problem: why somebody would not get it.
    """

    pose: Pose
    shop_name: str
    messages: Sequence[Mapping[str, Any] | None]
    line: str
    members: Mapping[str, Name] = field(default_factory=dict)
    problem: str = ""

    @property
    def replies(self) -> list[str]:
        """The quick replies, which LINE shows of the last message only."""
        last = self.messages[-1] if self.messages else None
        items = ((last or {}).get("quickReply") or {}).get("items", ())
        return [str(one["action"]["label"]) for one in items]


def pose_of(form: Form, prefix: str) -> Pose:
    """Return how a form wants a message looked at."""
    language = form.get(f"{prefix}-speaks", "")
    return Pose(
        form.get(f"{prefix}-member", "")[:200],
        language if language in languages() else "",
        form.get(f"{prefix}-night") == "1",
    )


def phone_of(line: LineState, blocks: Sequence[Block], pose: Pose) -> Phone:
    """Return how bubbles look on a phone; one that can't be written yet holds back no other."""
    members, account, problem = _members(line), _account(line, pose.member), ""
    found: list[Mapping[str, Any] | None] = []
    for block in blocks:
        try:
            if account is None:
                found.append(_longest(line, block, pose.language or next(iter(languages()))))
            else:
                found.append(_for(line, block, account))
        except MissingValue as error:
            found.append(None)
            problem = _("この方には「%(name)s」の値がないので、送られません。", name=error.name)
        except UsageError:
            lacks = _lacks(line, block, account)
            found.append(ABSENT if lacks else None)
            problem = lacks or problem
    told = [one for one in found if one and one is not ABSENT]
    notices = [str(one.get("altText") or one.get("text") or "") for one in told]
    first_line = notices[-1] if notices else ""
    return Phone(pose, str(line.shop.name), found, first_line, members, problem)


def _lacks(line: LineState, block: Block, account: Account | None) -> str:
    """Say of a card that is written well what a member lacks for it; empty where it is no card."""
    said = {
        "products": _("この方には見せられる商品がないので、送られません。"),
        "coupon": _("この方には使えるクーポンがないので、送られません。"),
    }
    if account is None or block.kind not in said:
        return ""
    try:
        _longest(line, block, own_language())
    except UsageError:
        return ""
    return said[block.kind]


def _longest(line: LineState, block: Block, language: str) -> Mapping[str, Any]:
    known = messages_for(line).known
    draft = read_draft(draft_of(block), known)
    with speaking(language):
        at_hand = [{OF_SHOP: str(line.shop.name)}]
    found = specimens(
        draft,
        known.variables,
        languages=[language],
        manner=manner_for(line, language),
        at_hand=at_hand,
    )
    return next(message for _language, message in found)


def _for(line: LineState, block: Block, account: Account) -> Mapping[str, Any]:
    variant = Variant("", 1, message_of([block]))
    definition = Definition("preview", "", Everybody.LINKED, (variant,))
    (message,) = preview(line, definition, "", account)
    return message


def _members(line: LineState) -> dict[str, Name]:
    """Return members whose LINE accounts are the newest."""
    latest = (
        select(Account)
        .where(Account.member_id.is_not(None))
        .order_by(Account.id.desc())
        .limit(SOME)
    )
    found = {}
    for account in line.session.scalars(latest):
        member = accounts.member_of_account(line, account)
        if member is not None:
            found[str(account.member_id)] = name_of_member(line, member, account)
    return found


def _account(line: LineState, key: str) -> Account | None:
    if not key:
        return None
    try:
        member = line.session.get(line.shop.model, read_member_key(line.shop.model, key))
    except ValueError:
        return None
    return accounts.account_of_member(line, member)
