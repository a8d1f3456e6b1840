"""The scenarios that a shop declares, by name."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator
from pathlib import Path

from ...errors import UsageError
from .definition import Scenario
from .reading import read_scenarios


class Scenarios:
    """The scenarios of one app."""

    def __init__(self) -> None:
        self._by_name: dict[str, Scenario] = {}

    def __iter__(self) -> Iterator[Scenario]:
        """Return all scenarios, by name."""
        return iter(sorted(self._by_name.values(), key=lambda one: one.name))

    def add(self, scenario: Scenario) -> None:
        """Add a scenario.

        :raises UsageError: there is one of this name.
        """
        before = self._by_name.get(scenario.name)
        if before is not None:
            raise UsageError(
                f"the scenario {scenario.name} is declared twice, in the blueprints {before.home} "
                f"and {scenario.home}"
            )
        self._by_name[scenario.name] = scenario

    def get(self, name: str) -> Scenario:
        """Return the scenario of a name.

        :raises UsageError: there is none; names the nearest.
        """
        found = self._by_name.get(name)
        if found is None:
            near = difflib.get_close_matches(name, list(self._by_name), n=1)
            mean = f" Did you mean {near[0]}?" if near else ""
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
