"""What a table of TOML, JSON or Python says under each of its words; every refusal names the place.

For ``scenarios/reading.py`` and ``campaigns/reading.py``.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import timedelta
from enum import Enum
from typing import Any
from typing import NoReturn
from typing import Protocol
from typing import TypeVar

from ..errors import UsageError
from .calendar.times import After
from .calendar.times import Duration
from .calendar.times import Wait
from .calendar.words import read_time

E = TypeVar("E", bound=Enum)


class Refusal(Protocol):
    """Makes the error that names a place."""

    def __call__(self, message: str, *, place: str) -> UsageError:
        """Return it."""


class Said:
    """A table, and what it says under each of its words.

    :param refusal: the error that is raised.
    """

    def __init__(self, data: object, place: str, words: Sequence[str], refusal: Refusal):
        self.refusal = refusal
        if not isinstance(data, Mapping):
            raise refusal("a table is needed", place=place)
        self.data: Mapping[str, Any] = data
        self.place = place
        for word in data:
            if word not in words:
                near = difflib.get_close_matches(str(word), words, n=1)
                mean = f". Did you mean {near[0]}" if near else ""
                self.fail(f"there is no such word{mean}; there are {', '.join(words)}", str(word))

    def fail(self, message: str, word: str = "") -> NoReturn:
        """Refuse what stands under a word.

        :raises UsageError: always.
        """
        raise self.refusal(message, place=f"{self.place}.{word}" if word else self.place)

    def text(self, word: str, otherwise: str | None = None) -> str:
        """Return a text that must be there, unless something stands in for it."""
        found = self.data.get(word, otherwise)
        if not isinstance(found, str) or not found.strip():
            self.fail("must be said, and is a text", word)
        return str(found)

    def label(self) -> Any:
        """Return what the owner reads."""
        found = self.data.get("label")
        # A lazily translated one is left as it is.
        is_text = found is None or isinstance(found, str | int | float | list | tuple | Mapping)
        return self.text("label") if is_text else found

    def text_or_none(self, word: str) -> str | None:
        """Return a text that may be there."""
        return self.text(word) if self.data.get(word) is not None else None

    def texts(self, word: str) -> tuple[str, ...]:
        """Return a list of texts."""
        found = self.data.get(word) or ()
        if not isinstance(found, list | tuple) or not all(isinstance(one, str) for one in found):
            self.fail("a list of texts is needed", word)
        return tuple(found)

    def number(self, word: str, least: int, most: int) -> int | None:
        """Return a whole number that may be there."""
        found = self.data.get(word)
        if found is None:
            return None
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
            self.fail(f"a number from {least:,} to {most:,} is needed", word)
        return found

    def when(self, word: str) -> Wait | None:
        """Return a time that may be there."""
        found = self.data.get(word)
        if found is None:
            return None
        if isinstance(found, timedelta):
            return After(self._seconds(found, word))
        if not isinstance(found, str):
            self.fail("a time is needed, such as PT1H", word)
        try:
            return read_time(str(found))
        except UsageError as error:
            raise self.refusal(str(error), place=f"{self.place}.{word}") from None

    def duration(self, word: str) -> Duration | None:
        """Return a length of time that may be there."""
        found = self.when(word)
        if found is None or (isinstance(found, After) and found.at is None and not found.zone):
            return None if found is None else found.duration
        self.fail("a length of time is needed, such as PT6H", word)

    def choice(self, word: str, otherwise: E) -> E:
        """Return one of a few words."""
        found = self.data.get(word, otherwise.value)
        kinds = list(type(otherwise))
        if found not in [kind.value for kind in kinds]:
            self.fail(f"one of {', '.join(kind.value for kind in kinds)} is needed", word)
        return type(otherwise)(found)

    def as_json(self, word: str) -> str:
        """Return what stands under a word as JSON."""
        try:
            return json.dumps(self.data[word], ensure_ascii=False, sort_keys=True)
        except (TypeError, ValueError):
            self.fail("is no data: texts, numbers, lists and tables are", word)

    def _seconds(self, found: timedelta, word: str) -> Duration:
        if found <= timedelta(0) or found.microseconds:
            self.fail("whole seconds are needed, more than none", word)
        return Duration(seconds=int(found.total_seconds()))
