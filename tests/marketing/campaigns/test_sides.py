"""The sides of a comparison: sticky, fair, independent, and the same in Python and in SQL."""

from __future__ import annotations

import uuid
from datetime import UTC
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import literal
from sqlalchemy import select
from sqlalchemy.types import Integer
from sqlalchemy.types import String
from sqlalchemy.types import Uuid

from flask_lineconnect.marketing.campaigns import sides
from flask_lineconnect.marketing.campaigns.sides import side
from flask_lineconnect.state import LineState
from tests.conftest import DATABASES

TOKYO = ZoneInfo("Asia/Tokyo")
WEIGHTS = {"a": 1, "b": 2, "c": 1}


def test_a_side_is_always_the_same() -> None:
    # Written down once: another release must bring nobody to the other side.
    assert [side("campaign:autumn", key, WEIGHTS) for key in range(1, 9)] == [
        side("campaign:autumn", str(key), WEIGHTS) for key in range(1, 9)
    ]
    assert sides.share("campaign:autumn", 1) == 1294852982


def test_each_side_has_its_share() -> None:
    found = [side("x", key, WEIGHTS) for key in range(20_000)]
    shares = {name: found.count(name) / len(found) for name in WEIGHTS}
    assert shares == pytest.approx({"a": 0.25, "b": 0.5, "c": 0.25}, abs=0.015)


def test_experiments_do_not_know_of_each_other() -> None:
    both = [
        (side("one", key, {"a": 1, "b": 1}), side("two", key, {"a": 1, "b": 1}))
        for key in range(20_000)
    ]
    for pair in (("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")):
        assert both.count(pair) / len(both) == pytest.approx(0.25, abs=0.015)


def test_a_side_of_no_weight_has_nobody() -> None:
    assert {side("x", key, {"a": 0, "b": 1, "c": 0}) for key in range(1_000)} == {"b"}


def test_the_shops_own_hold_out_is_drawn_anew_each_quarter() -> None:
    quarters = [
        sides.quarter_of(datetime(2026, month, 1, tzinfo=TOKYO), TOKYO) for month in range(1, 13)
    ]
    assert quarters == [f"2026-Q{number}" for number in (1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4)]
    # By the shop's clocks.
    assert sides.quarter_of(datetime(2026, 12, 31, 15, tzinfo=UTC), TOKYO) == "2027-Q1"
    held = [
        {key for key in range(20_000) if sides.held_out_globally(quarter, key, 5)}
        for quarter in sorted(set(quarters))
    ]
    for one in held:
        assert len(one) / 20_000 == pytest.approx(0.05, abs=0.01)
    for one, next_one in pairwise(held):
        assert len(one & next_one) / 20_000 == pytest.approx(0.0025, abs=0.002)


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_databases_say_the_same_as_python(line: LineState) -> None:
    for kind, keys in (
        (Integer(), range(1, 9)),
        (String(), [f"member-{number}é" for number in range(1, 9)]),
        (Uuid(), [uuid.UUID(int=number * 7919) for number in range(1, 9)]),
    ):
        for one in keys:
            key: Any = literal(one, kind)
            asked = select(
                sides.share_of(literal("quer:x"), key),
                sides.side_of("quer:x", key, WEIGHTS),
                sides.below("quer:x", key, 10),
            )
            number, name, is_below = line.session.execute(asked).one()
            assert number == sides.share("quer:x", one)
            assert name == side("quer:x", one, WEIGHTS)
            assert bool(is_below) is sides.is_below("quer:x", one, 10)
