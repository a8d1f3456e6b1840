"""Differences between people who were sent something and people held out, with their intervals.

The libraries are those of the extra ``results``, imported with the first question. What they answer
for odd input differs by method and release, so odd input never reaches them: an arm without people
has no difference at all, and that is said in a sentence (``words.py``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import NormalDist
from typing import Any

#: Of every interval; so "no effect" is called an effect in at most one case of twenty.
CONFIDENCE = 0.95
#: How likely a difference that is there is to be seen, where the number of people is planned.
POWER = 0.8
#: The bootstrap's resamples, and the seed that is stated with its interval: the same figures have
#: the same interval, whenever they are asked for.
RESAMPLES, SEED = 2_000, 20_261_128
#: Beyond so many people the bootstrap draws groups of people, of one size, instead of people.
MOST_UNITS = 1_000
#: The rarest buying that the number of people is planned for.
LEAST_BASE = 0.01
#: Fewer buyers than these on one side say nothing about sales, whatever they spent.
FEWEST_BUYERS = 10


@dataclass(frozen=True, slots=True)
class Arm:
    """People of one side of a comparison, whatever they did.

    :ivar amounts: of those who bought, what each spent; in the currency's smallest unit.
    """

    people: int
    amounts: Sequence[int] = ()

    def __post_init__(self) -> None:
        """Refuse what can't be: more buyers than people."""
        if not 0 <= len(self.amounts) <= self.people:
            raise ValueError(f"{len(self.amounts)} buyers of {self.people} people")

    @property
    def buyers(self) -> int:
        """How many of them bought anything."""
        return len(self.amounts)

    @property
    def rate(self) -> float:
        """Buyers per person; 0 where there is nobody."""
        return self.buyers / self.people if self.people else 0.0

    @property
    def mean(self) -> float:
        """Sales per person; 0 where there is nobody."""
        return sum(self.amounts) / self.people if self.people else 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """What one side has more than the other, per person, and between what it may truly be."""

    value: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether it is more than chance brings."""
        return self.low > 0 or self.high < 0


def is_installed() -> bool:
    """Tell whether the libraries are there, without importing them."""
    return find_spec("statsmodels") is not None and find_spec("scipy") is not None


def rate_difference(
    treated: Arm, held_out: Arm, *, confidence: float = CONFIDENCE
) -> Difference | None:
    """Compare how many bought, per person; ``None`` where one side has nobody.

    By Newcombe's interval of two Wilson intervals: it has no hole at 0 of n and n of n, and turns
    its signs when the sides are swapped, which Miettinen and Nurminen's does not in the library.

    Source: Newcombe, "Interval estimation for the difference between independent proportions",
    Statistics in Medicine 17 (1998), method 10.
    """
    if not treated.people or not held_out.people:
        return None
    from statsmodels.stats.proportion import confint_proportions_2indep

    low, high = confint_proportions_2indep(
        treated.buyers,
        treated.people,
        held_out.buyers,
        held_out.people,
        compare="diff",
        method="newcomb",
        alpha=1 - confidence,
    )
    return Difference(treated.rate - held_out.rate, float(low), float(high))


def sales_difference(
    treated: Arm, held_out: Arm, *, confidence: float = CONFIDENCE, seed: int = SEED
) -> Difference | None:
    """Compare sales per person, buyers or not; ``None`` where too few bought on either side.

    By a bootstrap whose seed is :data:`SEED`, of the difference in lengths of its own error: what
    people spend is skewed, and an interval of plain resamples would hold the truth too rarely.

    Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 12.5, the bootstrap-t interval.
    """
    if min(treated.buyers, held_out.buyers) < FEWEST_BUYERS:
        return None
    one, other = _units(treated, seed), _units(held_out, seed + 1)
    error = float(_error(one, other))
    if not error:
        return None
    import numpy
    from scipy.stats import bootstrap

    value = treated.mean - held_out.mean

    def lengths(one: Any, other: Any, axis: int = -1) -> Any:
        errors = _error(one, other, axis)
        away = one.mean(axis=axis) - other.mean(axis=axis) - value
        return numpy.divide(away, errors, out=numpy.full_like(away, numpy.nan), where=errors > 0)

    found = bootstrap(
        (one, other),
        lengths,
        n_resamples=RESAMPLES,
        batch=100,
        vectorized=True,
        method="percentile",
        rng=seed,
    )
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    least, most = numpy.nanquantile(found.bootstrap_distribution, tails)
    return Difference(value, value - float(most) * error, value - float(least) * error)


def people_needed(base: float, difference: float, share_held_out: float) -> int:
    """Return how many people a comparison needs to see a difference that is there.

    With :data:`POWER`, two-sided at :data:`CONFIDENCE`.

    :param base: buyers per person without the message.
    :param difference: more buyers per person, above 0.
    :param share_held_out: of all people, above 0 and below 1.

    Source: Chow, Shao, Wang, "Sample Size Calculations in Clinical Research", 4.2.
    """
    # At the ends nothing varies, and nobody would seem to be needed.
    base = min(max(base, LEAST_BASE), 1 - LEAST_BASE)
    more = min(base + difference, 1.0)
    variance = base * (1 - base) / share_held_out + more * (1 - more) / (1 - share_held_out)
    normal = NormalDist()
    deviations = normal.inv_cdf((1 + CONFIDENCE) / 2) + normal.inv_cdf(POWER)
    return math.ceil((deviations / difference) ** 2 * variance)


def smallest_difference(people: int, base: float, share_held_out: float) -> float | None:
    """Return the smallest difference that a comparison of so many people sees, if it is there.

    What :func:`people_needed` says, the other way round, to a tenth of a person among 1,000.

    :return: more buyers per person; ``None`` where not even the largest would be seen.
    """
    base = min(max(base, LEAST_BASE), 1 - LEAST_BASE)
    low, high = 0.0, 1 - base
    if not people or people_needed(base, high, share_held_out) > people:
        return None
    while high - low > 0.0001:
        middle = (low + high) / 2
        if people_needed(base, middle, share_held_out) > people:
            low = middle
        else:
            high = middle
    return high


def _units(arm: Arm, seed: int) -> Any:
    """Return what is drawn from: sales of each person, or of groups of as many people each.

    Who is in which group is drawn, too. The mean stays that of all people.
    """
    import numpy

    sales = numpy.zeros(arm.people)
    sales[: arm.buyers] = arm.amounts
    if arm.people <= MOST_UNITS:
        return sales
    numpy.random.default_rng(seed).shuffle(sales)
    starts = numpy.linspace(0, arm.people, MOST_UNITS, endpoint=False).astype(int)
    return numpy.add.reduceat(sales, starts) * (MOST_UNITS / arm.people)


def _error(one: Any, other: Any, axis: int = -1) -> Any:
    """Return the standard error of the difference of two means."""
    variances = [side.var(axis=axis, ddof=1) / side.shape[axis] for side in (one, other)]
    return sum(variances) ** 0.5
