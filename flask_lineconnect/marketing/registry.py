"""What a shop declares by name: kept once each, and found again, with the nearest for a mistake."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any
from typing import ClassVar
from typing import Generic
from typing import Protocol
from typing import TypeVar

from ..errors import UsageError


class Named(Protocol):
    """What is declared."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def home(self) -> Any:
        """Who declared it: the name of a blueprint, or ``line``."""


Item = TypeVar("Item", bound=Named)


class Registry(Generic[Item]):
    """The things of one kind that one app knows, by name.

    :cvar called: how errors call one of them: ``member event``.
    :cvar homes: what stands before the names of those who declared it.
    """

    called: ClassVar[str]
    homes: ClassVar[str] = "the blueprints "

    def __init__(self, known: Iterable[Item] = ()) -> None:
        self._by_name = {item.name: item for item in known}

    def __iter__(self) -> Iterator[Item]:
        """Return all of them, by name."""
        return iter(sorted(self._by_name.values(), key=lambda item: item.name))

    def __contains__(self, name: object) -> bool:
        """Tell whether there is one of this name."""
        return name in self._by_name

    def add(self, item: Item) -> None:
        """Add one.

        :raises UsageError: there is one of this name.
        """
        before = self._by_name.get(item.name)
        if before is not None:
            raise UsageError(
                f"the {self.called} {item.name} is declared twice, in {self.homes}{before.home} "
                f"and {item.home}"
            )
        self._by_name[item.name] = item

    def find(self, name: str) -> Item | None:
        """Return the one of this name, if there is one."""
        return self._by_name.get(name)

    def nearest(self, name: str) -> str | None:
        """Return the name that somebody probably meant."""
        return nearest(name, self._by_name)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the name among those known that somebody probably meant."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that names what somebody probably meant; empty for nothing."""
    near = nearest(name, known)
    return f". Did you mean {near}" if near else ""
