"""The scenarios that a shop declares, by name."""

from __future__ import annotations

import tomllib
from pathlib import Path

from ...errors import UsageError
from ..registry import Registry
from .definition import Scenario
from .reading import read_scenarios


class Scenarios(Registry[Scenario]):
    """The scenarios of one app."""

    called = "scenario"

    def get(self, name: str) -> Scenario:
        """Return the scenario of a name.

        :raises UsageError: there is none; names the nearest.
        """
        found = self.find(name)
        if found is None:
            near = self.nearest(name)
            mean = f" Did you mean {near}?" if near else ""
            raise UsageError(f"there is no scenario {name!r}.{mean}")
        return found


def scenarios_of_file(path: Path, *, home: str) -> tuple[Scenario, ...]:
    """Read the scenarios of a TOML file.

    :raises UsageError: there is no such file, it is no TOML, or a scenario can't be read.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{path} is no TOML: {error}") from None
    return read_scenarios(data, home=home)
