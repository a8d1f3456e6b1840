"""Who of the shop's staff is at the console, and what they may do there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import g

from ..person_names import Name
from ..shop.adapter import StaffRole
from .i18n import lazy_gettext
from .routes import may

ROLE_NAMES = {
    "owner": lazy_gettext("店主"),
    "editor": lazy_gettext("担当者"),
    "viewer": lazy_gettext("閲覧のみ"),
}


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody at the console.

    :ivar key: Flask-Login's id of them, which the audit log keeps.
    """

    key: str
    name: Name
    role: StaffRole


def staff_here() -> Staff | None:
    """Return who is at the console; ``None`` on the pages that others are shown."""
    return cast("Staff | None", g.get("_lineconnect_staff"))


def current_staff() -> Staff:
    """Return who is at the console, in its views."""
    found = staff_here()
    assert found is not None
    return found


def is_allowed(role: StaffRole) -> bool:
    """Tell whether who is here may do what needs a role."""
    found = staff_here()
    return found is not None and may(found.role, role)


def note_arrival(staff: Staff) -> None:
    """Keep who is at the console during this request."""
    g._lineconnect_staff = staff
