"""What can be told: each kind is declared once, and its facts are frozen or refused."""

from __future__ import annotations

from datetime import UTC
from datetime import date
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from flask_lineconnect import Fact
from flask_lineconnect import LineBlueprint
from flask_lineconnect import UsageError
from flask_lineconnect.marketing.event_kinds import EventKind
from tests.marketing.event_shop import declare

NOON = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001


def _kind(type_: Any) -> EventKind:
    return EventKind("order.placed", "ご注文", {"it": Fact(type_, "それ")})


@pytest.mark.parametrize(
    ("type_", "value", "written"),
    [
        (str, "煎茶 10〜20g", "煎茶 10〜20g"),
        (int, -1_200, -1_200),
        (Decimal, Decimal("93.10"), "93.10"),
        (Decimal, Decimal("1E+3"), "1000"),
        (Decimal, 5, "5"),
        (bool, False, False),
        (date, date(2026, 2, 28), "2026-02-28"),
        (datetime, NOON, "2026-11-28T03:00:00.000000+00:00"),
        (list[str], ("a", "b"), ["a", "b"]),
        (list[date], [date(2026, 2, 28)], ["2026-02-28"]),
        (list[str], [], []),
    ],
)
def test_each_type_has_one_written_form(type_: Any, value: Any, written: Any) -> None:
    assert _kind(type_).freeze({"it": value}) == {"it": written}
    read = _kind(type_).read({"it": written})["it"]
    assert read == (tuple(value) if isinstance(value, list) else value)


def test_written_moments_and_days_sort_as_they_are() -> None:
    """Databases compare them as texts: a whole second is as long as one with a fraction."""
    moments = [NOON, NOON.replace(microsecond=5), NOON.replace(second=1), NOON.replace(year=2027)]
    written = [_kind(datetime).freeze({"it": moment})["it"] for moment in moments]
    assert written == sorted(written)


def test_what_may_be_absent_is_nothing() -> None:
    for facts in ({}, {"it": None}):
        assert _kind(str | None).freeze(facts) == {}
    assert _kind(str | None).read({}) == {"it": None}


def test_what_an_earlier_version_told_differently_is_absent() -> None:
    assert _kind(int).read({"it": "12", "more": 1}) == {"it": None}


@pytest.mark.parametrize(
    ("type_", "value", "said"),
    [
        (str, 1, "must be a text, not a int"),
        (str, "a\0b", "no database stores"),
        (str, "\ud800", "no database stores"),
        (str, "1" * 1_001, "longer than 1000"),
        (int, "1", "must be a whole number, not a str"),
        (int, True, "must be a whole number, not a bool"),
        (int, 1.0, "must be a whole number, not a float"),
        (int, 2**53, "must be between"),
        (int, None, "must be a whole number, not a NoneType"),
        (list[str], "煎茶", "must be a list, not a str"),
        (list[str], [1], "must be a text"),
        (list[str], ["a"] * 101, "has 101 elements"),
        (date, NOON, "must be a date, not a datetime"),
        (date, "2026-12-03", "must be a date, not a str"),
        (datetime, NAIVE, "must be aware"),
        (datetime, date(2026, 1, 1), "must be a datetime, not a date"),
        (Decimal, 0.1, "must be a Decimal, not a float"),
        (Decimal, Decimal("NaN"), "must be between"),
        (Decimal, Decimal("Infinity"), "must be between"),
        (bool, 1, "must be true or false, not a int"),
    ],
)
def test_other_values_are_refused(type_: Any, value: Any, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        _kind(type_).freeze({"it": value})
    assert str(raised.value).startswith("the fact it of order.placed ")
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("name", "facts", "said"),
    [
        ("placed", {}, "can't be the name of a member event"),
        ("Order.placed", {}, "can't be the name of a member event"),
        ("order.placed\n", {}, "can't be the name of a member event"),
        ("order." + "x" * 95, {}, "can't be the name of a member event"),
        ("order.placed", {"at": Fact(int, "")}, "can't have a fact called 'at'"),
        ("order.placed", {"subject": Fact(int, "")}, "can't have a fact called 'subject'"),
        ("order.placed", {"the total": Fact(int, "")}, "can't have a fact called 'the total'"),
        ("order.placed", {"total": Fact(float, "")}, "the fact total of order.placed: <class"),
        ("order.placed", {"total": Fact(dict[str, int], "")}, "is no type of a value"),
        ("order.placed", {"total": Fact(int | str, "")}, "is no type of a value"),
        ("order.placed", {"total": Fact(list[list[int]], "")}, "is no type of a value"),
    ],
)
def test_a_declaration_that_can_not_be_is_refused(
    name: str, facts: dict[str, Fact], said: str
) -> None:
    with pytest.raises(UsageError) as raised:
        LineBlueprint("more", __name__).member_event(name, label="", facts=facts)
    assert said in str(raised.value)


def test_one_kind_is_declared_once(app: Flask) -> None:
    declare(app)
    for name, said in (
        ("order.placed", "declared twice, in the blueprints events and more"),
        ("line.linked", "are LINE's own"),
        ("line.liked", "are LINE's own"),
    ):
        more = LineBlueprint("more", __name__)
        more.member_event(name, label="")
        with pytest.raises(UsageError, match=said):
            app.register_blueprint(more, name=f"more {name.replace('.', ' ')}")
