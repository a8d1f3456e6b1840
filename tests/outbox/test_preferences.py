"""What people want to be sent."""

from __future__ import annotations

import pytest

from flask_lineconnect import DEFAULT_CATEGORIES
from flask_lineconnect import UsageError
from flask_lineconnect.linking import accounts
from flask_lineconnect.outbox.preferences import declined_by
from flask_lineconnect.outbox.preferences import set_preferences
from flask_lineconnect.shop.categories import category_named
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES

on_both = pytest.mark.parametrize("database", DATABASES, indirect=True)


@on_both
def test_everything_is_wanted_until_it_is_declined(line: LineState) -> None:
    account = accounts.ensure_account(line.session, "U" + "1" * 32, now=line.clock())
    assert declined_by(line.session, account) == frozenset()
    set_preferences(line.session, account, {"news": False, "order": True}, now=line.clock())
    assert declined_by(line.session, account) == {"news"}


@on_both
def test_a_changed_mind_counts_for_its_category_alone(line: LineState) -> None:
    account = accounts.ensure_account(line.session, "U" + "1" * 32, now=line.clock())
    set_preferences(line.session, account, {"news": False, "cart": False}, now=line.clock())
    set_preferences(line.session, account, {"news": True}, now=line.clock())
    assert declined_by(line.session, account) == {"cart"}


def test_a_category_that_the_shop_does_not_have_is_the_codes_mistake() -> None:
    assert category_named(DEFAULT_CATEGORIES, "news").is_marketing
    with pytest.raises(UsageError, match="no message category 'nwes'"):
        category_named(DEFAULT_CATEGORIES, "nwes")
