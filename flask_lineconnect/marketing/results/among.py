"""How a campaign did among some members: those of a segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Select
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy.orm import Session

from ...models import Attribution
from ...models import ResultPerson
from ...models import Touch
from .people import BUYERS
from .people import CLICKERS


def people_among(
    session: Session, campaign_id: int, members: Select[Any]
) -> dict[str, Mapping[str, int]]:
    """Return by variant how many of these members got a campaign, tapped, bought, and for how much.

    They are counted from the rows, as long as those are kept: whoever is in the segment now.

    :param members: keys of members.
    :return: of each variant ``accepted``, ``clickers``, ``buyers`` and ``sales``.
    """
    mine = Touch.campaign_id == campaign_id, Touch.member_id.in_(members)
    found: dict[str, dict[str, int]] = {}
    _add(session, found, "accepted", Touch.variant, func.count(Touch.member_id.distinct()), *mine)
    for figure in (CLICKERS, BUYERS):
        is_it = ResultPerson.figure == figure, ResultPerson.campaign_id == campaign_id
        is_theirs = ResultPerson.member_id.in_(members)
        _add(session, found, figure, ResultPerson.variant, func.count(), *is_it, is_theirs)
    orders = (
        Attribution.campaign_id == campaign_id,
        Attribution.member_id.in_(members),
        Attribution.kind != "none",
        Attribution.returned_at.is_(None),
    )
    _add(session, found, "sales", Attribution.variant, func.sum(Attribution.value), *orders)
    return dict(sorted(found.items()))


def _add(
    session: Session,
    found: dict[str, dict[str, int]],
    figure: str,
    variant: Any,
    number: ColumnElement[Any],
    *is_meant: ColumnElement[bool],
) -> None:
    statement = select(variant, number).where(*is_meant).group_by(variant)
    for name, value in session.execute(statement):
        empty = dict.fromkeys(("accepted", CLICKERS, BUYERS, "sales"), 0)
        found.setdefault(name, empty)[figure] = int(value)
