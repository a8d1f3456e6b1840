"""Collects everything that is wrong with a request body, in LINE's own words."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from typing import Any
from typing import TypeGuard
from urllib.parse import urlsplit

from .addresses import is_loopback
from .text_counts import utf16_units

#: An object of the body. Its values are anybody's, so every one is looked at before it is used.
Json = dict[str, Any]

MAX_URL = 2_000
#: What an address must have percent-encoded.
_UNENCODED = re.compile(r"[^\x21-\x7e]")


def is_whole(value: object) -> TypeGuard[int]:
    """Tell whether a value of JSON is a whole number; ``true`` is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether a value of JSON is a number; ``true`` is none."""
    return is_whole(value) or isinstance(value, float)


class Checker:
    """Notes what breaks a rule; ``details`` is what LINE's error answer lists.

    Every method takes the object, the name of a field in it and the path of the object.
    """

    def __init__(self) -> None:
        self.details: list[dict[str, str]] = []

    def add(self, message: str, where: str) -> None:
        """Note one broken rule."""
        self.details.append({"message": message, "property": where})

    def text(
        self,
        holder: Json,
        name: str,
        where: str,
        limit: int,
        *,
        required: bool = True,
        count: Callable[[str], int] = utf16_units,
    ) -> None:
        """Check a text and its length."""
        value = holder.get(name)
        if value is None or value == "":
            if required or value == "":
                self.add("May not be empty", f"{where}.{name}")
        elif not isinstance(value, str):
            self.add("must be a string", f"{where}.{name}")
        elif count(value) > limit:
            self.add(f"Length must be between 0 and {limit}", f"{where}.{name}")

    def url(self, holder: Json, name: str, where: str, *, required: bool = True) -> None:
        """Check the address of a medium: https, or plain http on this machine."""
        self.address(holder, name, where, {"https"}, limit=MAX_URL, required=required)

    def address(
        self,
        holder: Json,
        name: str,
        where: str,
        schemes: Collection[str],
        *,
        limit: int,
        required: bool = True,
    ) -> None:
        """Check an address and its scheme."""
        value, path = holder.get(name), f"{where}.{name}"
        if value is None and not required:
            return
        if value is None or value == "":
            self.add("May not be empty", path)
        elif not isinstance(value, str) or _UNENCODED.search(value):
            self.add("invalid uri", path)
        elif utf16_units(value) > limit:
            self.add(f"Length must be between 0 and {limit}", path)
        else:
            self._scheme(value, path, schemes)

    def number(
        self, holder: Json, name: str, where: str, low: float, high: float, *, whole: bool = True
    ) -> None:
        """Check a required number; ``True`` is none."""
        value, path = holder.get(name), f"{where}.{name}"
        if not is_number(value) or (whole and not is_whole(value)):
            self.add("must be specified", path)
        elif not low <= value <= high:
            self.add(f"Must be between {low} and {high}", path)

    def one_of(
        self, holder: Json, name: str, where: str, values: Collection[str], *, required: bool = True
    ) -> bool:
        """Check a word that LINE knows; tell whether it is one."""
        value = holder.get(name)
        if value is None and not required:
            return True
        if isinstance(value, str) and value in values:
            return True
        text = f"Must be one of the following values: [{', '.join(values)}]"
        self.add(text, f"{where}.{name}")
        return False

    def inner(self, holder: Json, name: str, where: str, *, required: bool = True) -> Json | None:
        """Return an object inside, or ``None``, which is noted if it has to be there."""
        value = holder.get(name)
        if isinstance(value, dict):
            return value
        if required or value is not None:
            self.add("must be specified", f"{where}.{name}")
        return None

    def items(
        self, holder: Json, name: str, where: str, low: int, high: int
    ) -> Iterator[tuple[Json, str]]:
        """Yield the objects of a list with their paths; check that their number is allowed."""
        values, path = holder.get(name), f"{where}.{name}".lstrip(".")
        if not isinstance(values, list) or not low <= len(values) <= high:
            self.add(f"Size must be between {low} and {high}", path)
            return
        for index, value in enumerate(values):
            if isinstance(value, dict):
                yield value, f"{path}[{index}]"
            else:
                self.add("must be specified", f"{path}[{index}]")

    def _scheme(self, value: str, path: str, schemes: Collection[str]) -> None:
        try:
            parts = urlsplit(value)
            has_host = bool(parts.hostname)
        except ValueError:
            self.add("invalid uri", path)
            return
        # The development switch: media of this machine may be plain http.
        is_local = parts.scheme == "http" and has_host and is_loopback(value)
        if parts.scheme not in schemes and not is_local:
            # Observed: github.com/line/line-bot-sdk-python/issues/314.
            self.add("invalid uri scheme", path)
        elif parts.scheme in {"http", "https"} and not has_host:
            self.add("invalid uri", path)
