"""In which time zone each member lives, where the shop knows it; else it is the shop's."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo
from zoneinfo import ZoneInfoNotFoundError

from sqlalchemy import String
from sqlalchemy import inspect
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm import Session

from ..errors import UsageError
from ..models.portions import MOST_ROWS
from ..shop.adapter import ShopAdapter

logger = logging.getLogger(__name__)

#: Of what the log quotes of a column, in characters; IANA's longest name has 32.
_LONGEST = 40
#: Names that are kept in memory; there are some 600 zones.
_MOST_KNOWN = 1_000


class MemberZones:
    """The zones of one shop's members.

    :raises UsageError: the member model has no such column, or it holds no text.
    """

    def __init__(self, shop: ShopAdapter[Any], zone: ZoneInfo):
        self._zone = zone
        self._key: InstrumentedAttribute[Any] = _key_of(shop.model)
        self._column = None if shop.member_zone is None else _column_of(shop)
        self._known: dict[str, ZoneInfo] = {}

    def of(self, session: Session, member_ids: Sequence[Any]) -> Mapping[Any, ZoneInfo]:
        """Return the zone of each of these members, by their keys.

        Members of whom none is known have the shop's, and so has a value that is no zone.
        """
        found = dict.fromkeys(member_ids, self._zone)
        if self._column is None:
            return found
        for start in range(0, len(member_ids), MOST_ROWS):
            some = member_ids[start : start + MOST_ROWS]
            statement = select(self._key, self._column).where(self._key.in_(some))
            for member_id, name in session.execute(statement):
                found[member_id] = self._named(name)
        return found

    def _named(self, name: str | None) -> ZoneInfo:
        if not name:
            return self._zone
        if name not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[name] = self._read(name)
        return self._known[name]

    def _read(self, name: str) -> ZoneInfo:
        try:
            return ZoneInfo(name)
        # A folder of the zones' own is an OSError.
        except (ZoneInfoNotFoundError, ValueError, OSError):
            logger.warning(
                "ShopAdapter.member_zone: %r is no time zone such as Asia/Tokyo; members with it "
                "have LINECONNECT_TIMEZONE, %s",
                name[:_LONGEST],
                self._zone.key,
            )
            return self._zone


def _key_of(model: type[Any]) -> InstrumentedAttribute[Any]:
    mapper = inspect(model)
    key: InstrumentedAttribute[Any] = mapper.get_property_by_column(
        mapper.primary_key[0]
    ).class_attribute
    return key


def _column_of(shop: ShopAdapter[Any]) -> InstrumentedAttribute[Any]:
    names = f"{type(shop).__name__}.member_zone names {shop.member_zone!r}, which is"
    columns = {attribute.key: attribute for attribute in inspect(shop.model).column_attrs}
    if shop.member_zone not in columns:
        raise UsageError(
            f"{names} no column of {shop.model.__name__}; name the one that holds IANA's name of a "
            "zone, such as Asia/Tokyo"
        )
    attribute = columns[shop.member_zone]
    if not isinstance(attribute.columns[0].type, String):
        raise UsageError(f"{names} no text; IANA's name of a zone is needed, such as Asia/Tokyo")
    found: InstrumentedAttribute[Any] = attribute.class_attribute
    return found
