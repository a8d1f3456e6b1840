"""All addresses of the console: which view answers each, and who may use it.

This is the one table of roles; ``blueprint.py`` asks it before every view, and imports the view's
module when it is first needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from ..shop.adapter import StaffRole

#: From those who may least.
ROLES: Sequence[StaffRole] = ("viewer", "editor", "owner")
VIEW, CHANGE = ("GET",), ("POST",)
BOTH = (*VIEW, *CHANGE)


@dataclass(frozen=True, slots=True)
class Route:
    """One address.

    :ivar view: module and function in this room; the function's name is the endpoint's.
    :ivar role: who may least of those who may use it.
    """

    rule: str
    view: str
    role: StaffRole
    methods: Sequence[str] = VIEW

    @property
    def module(self) -> str:
        """The module of the view."""
        return self.view.partition(".")[0]

    @property
    def endpoint(self) -> str:
        """The name of the view, and of the endpoint."""
        return self.view.partition(".")[2]


ROUTES = (
    Route("/", "home.home", "viewer"),
    Route("/more", "home.more", "viewer"),
    Route("/language", "home.language", "viewer", CHANGE),
    Route("/checks", "home.checks", "editor"),
    Route("/checks/resume", "home.resume_sending", "owner", CHANGE),
    Route("/audit", "audit.audit", "owner"),
    Route("/audit.csv", "audit.audit_csv", "owner"),
)
BY_ENDPOINT: Mapping[str, Route] = {route.endpoint: route for route in ROUTES}


def may(role: StaffRole, needed: StaffRole) -> bool:
    """Tell whether who has a role may do what needs another one."""
    return ROLES.index(role) >= ROLES.index(needed)
