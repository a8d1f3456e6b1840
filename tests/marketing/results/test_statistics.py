"""Differences and their intervals, above all where libraries answer oddly."""

from __future__ import annotations

import math
from itertools import product

import pytest

from flask_lineconnect.marketing.results.statistics import Arm
from flask_lineconnect.marketing.results.statistics import Difference
from flask_lineconnect.marketing.results.statistics import people_needed
from flask_lineconnect.marketing.results.statistics import rate_difference
from flask_lineconnect.marketing.results.statistics import sales_difference
from flask_lineconnect.marketing.results.statistics import smallest_difference


def arm(buyers: int, people: int, amount: int = 1_000) -> Arm:
    return Arm(people, [amount] * buyers)


def test_the_interval_is_that_of_the_paper() -> None:
    """Newcombe 1998, table II, contrast (a): 56/70 and 48/80, method 10."""
    found = rate_difference(arm(56, 70), arm(48, 80))
    assert found is not None
    assert [round(x, 4) for x in (found.value, found.low, found.high)] == [0.2, 0.0524, 0.3339]
    # And (c), 10/10 and 0/20.
    found = rate_difference(arm(10, 10), arm(0, 20))
    assert found is not None
    assert [round(x, 4) for x in (found.low, found.high)] == [0.6791, 1.0]


SIDES = [(0, 0), (0, 1), (1, 1), (0, 2), (2, 2), (0, 500), (1, 500), (500, 500), (40, 10_000)]


@pytest.mark.parametrize(("one", "other"), list(product(SIDES, SIDES)))
def test_no_figures_bring_an_error_or_no_number(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    for compare in (rate_difference, sales_difference):
        found = compare(arm(*one), arm(*other))
        back = compare(arm(*other), arm(*one))
        if found is None or back is None:
            assert found is back is None
            continue
        assert all(map(math.isfinite, (found.value, found.low, found.high)))
        assert found.low - 1e-9 <= found.value <= found.high + 1e-9
        assert back.value == pytest.approx(-found.value)
        if compare is rate_difference:
            # Which side is called the first one changes nothing but the signs.
            assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


@pytest.mark.parametrize("side", [arm(0, 0), arm(3, 5)])
def test_nobody_on_a_side_is_no_difference(side: Arm) -> None:
    assert rate_difference(side, Arm(0)) is None
    assert rate_difference(Arm(0), side) is None
    assert sales_difference(side, Arm(0)) is None


def test_nobody_bought_anything() -> None:
    found = rate_difference(Arm(900), Arm(100))
    assert found is not None
    assert found.low < 0 < found.high
    assert not found.is_clear
    assert sales_difference(Arm(900), Arm(100)) is None


def test_there_are_no_more_buyers_than_people() -> None:
    with pytest.raises(ValueError, match="3 buyers of 2 people"):
        Arm(2, [1, 1, 1])


def test_a_few_buyers_say_nothing_about_sales() -> None:
    assert sales_difference(arm(100, 900), arm(9, 100)) is None
    assert sales_difference(Arm(900, range(100)), Arm(100, range(10))) is not None


def test_the_same_figures_have_the_same_interval() -> None:
    treated, held_out = Arm(900, range(100, 4_000, 100)), Arm(100, range(100, 2_100, 200))
    assert sales_difference(treated, held_out)
    assert sales_difference(treated, held_out) == sales_difference(treated, held_out)


def test_many_people_are_drawn_in_groups_and_none_is_lost() -> None:
    treated, held_out = arm(8_000, 100_003), arm(500, 11_000)
    found = sales_difference(treated, held_out)
    assert found is not None
    # All amounts are the same here, so that the rates' interval is the sales'.
    rates = rate_difference(treated, held_out)
    assert rates is not None
    assert found.value == pytest.approx(rates.value * 1_000)
    assert (found.low, found.high) == pytest.approx((rates.low * 1_000, rates.high * 1_000), abs=3)


def test_what_is_clear() -> None:
    assert Difference(2, 1, 3).is_clear
    assert Difference(-2, -3, -1).is_clear
    assert not Difference(1, -1, 3).is_clear
    assert not Difference(0, 0, 0).is_clear


@pytest.mark.parametrize(
    ("people", "share", "base", "points"),
    [(1_000, 0.5, 0.02, 3.3), (5_000, 0.1, 0.05, 3.0), (10_000, 0.1, 0.02, 1.3)],
)
def test_how_many_people_are_needed(people: int, share: float, base: float, points: float) -> None:
    """As published tables have it: the smallest difference that so many people show."""
    needed = people_needed(base, points / 100, share)
    assert needed == pytest.approx(people, rel=0.16)


def test_bases_at_the_ends_need_a_number_of_people_too() -> None:
    assert people_needed(0.0, 0.01, 0.1) > 1_000
    assert people_needed(0.999, 0.01, 0.1) > 100


@pytest.mark.parametrize(
    ("people", "base", "share", "points"),
    [
        (1_000, 0.02, 0.05, 6.1),
        (1_000, 0.02, 0.1, 4.6),
        (5_000, 0.02, 0.2, 1.5),
        (10_000, 0.05, 0.5, 1.3),
        (10_000, 0.05, 0.05, 2.8),
    ],
)
def test_the_smallest_difference_that_is_seen(
    people: int, base: float, share: float, points: float
) -> None:
    found = smallest_difference(people, base, share)
    assert found is not None
    assert found * 100 == pytest.approx(points, abs=0.15)
    assert people_needed(base, found, share) <= people
    assert people_needed(base, found - 0.0002, share) > people


def test_of_nobody_no_difference_is_seen() -> None:
    assert smallest_difference(0, 0.02, 0.1) is None
