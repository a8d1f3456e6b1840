"""What is wrong with a rule, and where in it."""

from __future__ import annotations

from ...errors import Refused
from ...i18n import gettext as _


class InvalidRule(Refused):
    """A rule can't be read, or asks for what there is not; nobody is chosen by it.

    :ivar place: where in the rule: ``all[2].not.attribute``; empty for the whole.
    """

    def __init__(self, message: str, *, place: str = ""):
        where = _("（%(place)s）", place=place) if place else ""
        super().__init__(f"{message}{where}", step="rule")
        self.place = place
