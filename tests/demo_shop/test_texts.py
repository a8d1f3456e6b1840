"""Numbers in the demo's sentences are written as the reader's language writes them."""

from __future__ import annotations

from flask import Flask
from flask_babel import force_locale

from demo_shop.forms import MAX_PURCHASE
from demo_shop.forms import PointsForm
from demo_shop.shop.texts import reason


def test_the_reason_of_a_booking(app: Flask) -> None:
    with app.test_request_context(), force_locale("de"):
        assert reason("店頭でのお買い物 12,000円") == "店頭でのお買い物 12.000円"


def test_the_most_that_the_counter_books(app: Flask) -> None:
    form = {"yen": str(MAX_PURCHASE + 1)}
    with app.test_request_context(method="POST", data=form), force_locale("de"):
        entered = PointsForm()
        assert not entered.validate()
        (error,) = entered.yen.errors
        assert f"{MAX_PURCHASE:,}".replace(",", ".") in str(error)
