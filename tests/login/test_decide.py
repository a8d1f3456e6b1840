"""Every combination of who is who, and what follows (security.md 14: the decision as a table)."""

from __future__ import annotations

import pytest

from flask_lineconnect.login.decide import Decision
from flask_lineconnect.login.decide import Intent
from flask_lineconnect.login.decide import Situation
from flask_lineconnect.login.decide import decide

A, B = "member A", "member B"
LOGIN = [
    # account's member, logged in, has an account already
    (None, None, False, Decision.SIGN_UP),
    (None, A, False, Decision.OFFER_LINK),
    (None, A, True, Decision.REFUSE_MEMBER_TAKEN),
    (A, None, False, Decision.LOG_IN),
    (A, A, True, Decision.LOG_IN),
    (B, A, False, Decision.LOG_IN),
    (B, A, True, Decision.LOG_IN),
]
LINK = [
    # account's member, logged in, began as, has an account already
    (None, A, A, False, Decision.CONFIRM_LINK),
    (None, A, A, True, Decision.REFUSE_MEMBER_TAKEN),
    (A, A, A, True, Decision.ALREADY_LINKED),
    (B, A, A, False, Decision.REFUSE_ACCOUNT_TAKEN),
    (B, A, A, True, Decision.REFUSE_ACCOUNT_TAKEN),
    (None, None, A, False, Decision.REFUSE_PERSON_CHANGED),
    (None, B, A, False, Decision.REFUSE_PERSON_CHANGED),
    (A, B, A, False, Decision.REFUSE_PERSON_CHANGED),
    (A, None, A, False, Decision.REFUSE_PERSON_CHANGED),
    (None, None, None, False, Decision.REFUSE_PERSON_CHANGED),
]


@pytest.mark.parametrize(("account_member", "current", "has_account", "expected"), LOGIN)
def test_a_login_means(
    account_member: str | None, current: str | None, has_account: bool, expected: Decision
) -> None:
    situation = Situation(
        intent=Intent.LOGIN,
        account_member=account_member,
        current_member=current,
        current_has_account=has_account,
    )
    assert decide(situation) is expected


@pytest.mark.parametrize(("account_member", "current", "began_as", "has_account", "expected"), LINK)
def test_a_link_means(
    account_member: str | None,
    current: str | None,
    began_as: str | None,
    has_account: bool,
    expected: Decision,
) -> None:
    situation = Situation(
        intent=Intent.LINK,
        account_member=account_member,
        current_member=current,
        began_as=began_as,
        current_has_account=has_account,
    )
    assert decide(situation) is expected


OCCUPIED = [
    # account's member, pressed, by itself, in doubt
    (B, False, False, False, Decision.ASK_TO_REPLACE),
    (B, False, False, True, Decision.ASK_TO_REPLACE),
    (B, True, False, False, Decision.LOG_IN),
    (B, True, False, True, Decision.ASK_AGAIN),
    (B, False, True, False, Decision.STAY),
    (B, True, True, True, Decision.STAY),
    (None, False, True, False, Decision.STAY),
    (None, False, False, False, Decision.OFFER_LINK),
]


@pytest.mark.parametrize(("member", "pressed", "by_itself", "in_doubt", "expected"), OCCUPIED)
def test_a_login_while_somebody_else_is_logged_in_means(
    member: str | None, pressed: bool, by_itself: bool, in_doubt: bool, expected: Decision
) -> None:
    situation = Situation(
        intent=Intent.LOGIN,
        account_member=member,
        current_member=A,
        is_occupied=True,
        is_pressed=pressed,
        is_by_itself=by_itself,
        is_in_doubt=in_doubt,
    )
    assert decide(situation) is expected


@pytest.mark.parametrize("current", [None, A])
def test_a_login_by_a_link_in_doubt_is_asked_again(current: str | None) -> None:
    situation = Situation(
        intent=Intent.LOGIN, account_member=A, current_member=current, is_in_doubt=True
    )
    assert decide(situation) is Decision.ASK_AGAIN
