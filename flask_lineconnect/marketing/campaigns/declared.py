"""The campaigns that a shop declares, by name."""

from __future__ import annotations

from ...errors import UsageError
from ..registry import Registry
from .definition import Definition


class Campaigns(Registry[Definition]):
    """The campaigns of one app."""

    called = "campaign"

    def get(self, name: str) -> Definition:
        """Return the campaign of a name.

        :raises UsageError: there is none; names the nearest.
        """
        found = self.find(name)
        if found is None:
            near = self.nearest(name)
            mean = f" Did you mean {near}?" if near else ""
            raise UsageError(f"there is no campaign {name!r}.{mean}")
        return found
