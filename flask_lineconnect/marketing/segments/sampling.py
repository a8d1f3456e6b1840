"""About how many members a rule chooses: counted among some of them, drawn by a hash of their keys.

The same members each time, so that two rules are compared on the same people. What is joined of a
rule, such as sums of orders, is made for these members alone; see ``narrowing.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE
from sqlalchemy import BigInteger
from sqlalchemy import ColumnElement
from sqlalchemy import Text
from sqlalchemy import cast
from sqlalchemy import func
from sqlalchemy import literal
from sqlalchemy import select
from sqlalchemy.orm import Session

from ..campaigns.sides import WHOLE
from ..campaigns.sides import share_of
from .asking import Shop
from .compiler import compile_rule
from .compiler import member_key_of
from .rules import Rule

#: Shops of fewer members are counted as a whole.
FEWEST = 20_000
#: Members who are asked; the error is then at most one and a half of a hundred of all.
SAMPLE = 4_000
#: Of a normal distribution: the truth is within so many deviations nineteen times of twenty.
_DEVIATIONS = 1.96
_EXPERIMENT = "estimate"


@dataclass(frozen=True, slots=True)
class Guess:
    """About how many members a rule chooses.

    :ivar error: by how many it may be wrong, nineteen times of twenty.
    """

    chosen: int
    error: int


def guess(session: Session, rule: Rule, shop: Shop) -> Guess | None:
    """Estimate, in two statements, how many members a rule chooses; ``None``: just count them.

    :raises InvalidRule: the rule asks for what there is not; says where.
    """
    key = member_key_of(shop.model)
    members = session.scalar(select(func.count()).select_from(key.table)) or 0
    if members < FEWEST:
        return None
    among = _sample(shop, SAMPLE / members)
    chosen = compile_rule(rule, shop, among=among).subquery("chosen")
    both = select(
        select(func.count()).select_from(chosen).scalar_subquery(),
        select(func.count()).select_from(among).scalar_subquery(),
    )
    hits, asked = session.execute(both).one()
    return _scaled(hits, asked, members)


def _scaled(hits: int, asked: int, members: int) -> Guess:
    """Return what a sample says of all: Wilson's interval, which is honest also near nobody."""
    if not asked:
        return Guess(0, members)
    share, square = hits / asked, _DEVIATIONS**2
    middle = (share + square / (2 * asked)) / (1 + square / asked)
    spread = share * (1 - share) / asked + square / (4 * asked**2)
    half = _DEVIATIONS * math.sqrt(spread) / (1 + square / asked)
    chosen = share * members
    error = max(middle + half - share, share - middle + half) * members
    return Guess(round(chosen), math.ceil(error))


def _sample(shop: Shop, part: float) -> CTE:
    """Return the members of a sample, worked out once for all the tables that ask for them."""
    key = member_key_of(shop.model)
    is_drawn = _hash_of(key, shop.dialect) < int(WHOLE * min(part, 1.0))
    return select(key.label("member_key")).where(is_drawn).cte("sample")


def _hash_of(key: ColumnElement[Any], dialect: str) -> ColumnElement[int]:
    """Return a number below :data:`WHOLE`; PostgreSQL has a hash that is faster than MD5."""
    if dialect != "postgresql":
        return share_of(literal(_EXPERIMENT, Text), key)
    number: ColumnElement[int] = func.hashtextextended(cast(key, Text), 0, type_=BigInteger)
    return number.op("&")(WHOLE - 1)
