"""What a finished LINE Login means: one pure decision, for every combination of who is who.

``tests/login/test_decide.py`` is the table of all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Intent(Enum):
    """What the person began."""

    LOGIN = "login"
    LINK = "link"


class Decision(Enum):
    """What happens next."""

    LOG_IN = "log in the linked member"
    SIGN_UP = "offer to register, or to log in and link"
    OFFER_LINK = "show the page with the link button"
    CONFIRM_LINK = "show both sides and wait for a press"
    ASK_AGAIN = "show a link from before the member's credentials changed"
    ASK_TO_REPLACE = "ask whether LINE's person replaces who is logged in"
    STAY = "go on as who is logged in"
    ALREADY_LINKED = "go on: exactly this link exists"
    REFUSE_ACCOUNT_TAKEN = "this LINE account belongs to another member"
    REFUSE_MEMBER_TAKEN = "this member has another LINE account"
    REFUSE_PERSON_CHANGED = "another person is logged in than the one who began"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Who is who when LINE's answer is verified; members are compared by their keys.

    :ivar account_member: the member to whom the LINE account is linked.
    :ivar current_member: the member logged in to the shop in this browser session.
    :ivar began_as: the member who was logged in when the attempt began.
    :ivar current_has_account: whether the current member is linked to any LINE account.
    :ivar is_occupied: somebody is logged in who is not the account's member, staff included.
    :ivar is_pressed: who is logged in pressed for a login with LINE.
    :ivar is_by_itself: the attempt began without anybody's doing.
    :ivar is_in_doubt: the account's member has changed their credentials since it was linked.
    """

    intent: Intent
    account_member: object | None = None
    current_member: object | None = None
    began_as: object | None = None
    current_has_account: bool = False
    is_occupied: bool = False
    is_pressed: bool = False
    is_by_itself: bool = False
    is_in_doubt: bool = False


def decide(situation: Situation) -> Decision:
    """Choose what follows from a verified LINE Login; changes nothing."""
    if situation.intent is Intent.LINK:
        return _decide_link(situation)
    if situation.is_occupied and situation.is_by_itself:
        # Once somebody has logged in, the last one counts.
        return Decision.STAY
    if situation.account_member is not None:
        return _decide_login(situation)
    if situation.current_member is None:
        return Decision.SIGN_UP
    if situation.current_has_account:
        return Decision.REFUSE_MEMBER_TAKEN
    return Decision.OFFER_LINK


def _decide_login(situation: Situation) -> Decision:
    if situation.is_occupied and not situation.is_pressed:
        return Decision.ASK_TO_REPLACE
    return Decision.ASK_AGAIN if situation.is_in_doubt else Decision.LOG_IN


def _decide_link(situation: Situation) -> Decision:
    if situation.current_member is None or situation.current_member != situation.began_as:
        return Decision.REFUSE_PERSON_CHANGED
    if situation.account_member == situation.current_member:
        return Decision.ALREADY_LINKED
    if situation.account_member is not None:
        return Decision.REFUSE_ACCOUNT_TAKEN
    if situation.current_has_account:
        return Decision.REFUSE_MEMBER_TAKEN
    return Decision.CONFIRM_LINK
